"""Keyed rows as files: JSON Lines, CSV and Parquet, and what all formats of rows share."""
