"""The store: mutable state in SQL, immutable content in content-addressed objects."""
