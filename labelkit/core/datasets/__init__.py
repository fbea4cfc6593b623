"""Dataset builds: which packs go in, how groups are split, what the result is called, and how good it is."""
