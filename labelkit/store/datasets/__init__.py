"""Rows of builds, datasets, frozen sets and files, and set work over samples: facets, near-duplicates, leakage, quality."""
