"""Rows of golden examples and of extractions, and set work over a million of them: checks, canonical JSON, scores."""
