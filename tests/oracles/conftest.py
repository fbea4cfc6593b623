"""What pytest leaves alone: programs that the interpreters of the environments run, with libraries that only they have."""

collect_ignore_glob = ["read*.py"]
