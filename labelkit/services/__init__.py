"""Use cases: one method each, one transaction each; load, decide, save, record."""
