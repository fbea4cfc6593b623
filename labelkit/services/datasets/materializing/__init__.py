"""Files made of a version's frames: planned in shards, made by a crew of workers, and found again where they were put."""
