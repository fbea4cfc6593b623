"""What pytest leaves alone: programs that the peers' interpreter runs, with libraries that only it has."""

collect_ignore = ["build_peers.py", "format_peers.py", "leakage_peers.py", "postgres_reviewer.py"]
