"""Rows of prelabel runs, drafts, label packs and revisions, and set work over the labels in their objects."""
