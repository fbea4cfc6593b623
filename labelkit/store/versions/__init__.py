"""Keyed rows as chunks and trees, commits over them, and what differs, merges and may go."""
