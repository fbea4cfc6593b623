"""Decisions of production as rows: sources, filters, and the mapping to examples."""
