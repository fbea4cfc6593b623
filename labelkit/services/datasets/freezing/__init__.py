"""Frozen test sets: the guard of what may be trained on, the doors that content leaves by, and the side of a dataset that freezes."""
