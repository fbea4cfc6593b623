"""Golden examples: what a model should have said, how sure we are of it, and how good a lesson it is."""
