"""Benchmarks: `python -m tests.bench NAME` measures labelkit beside its peers and beside the plain physical work.

Each module has `run(quick)`, which returns rows as `harness.Row` describes them; data come from a seed, both sides alternate in one run.
"""
