"""A folder that `datasets.load_dataset` reads: Parquet files and a card."""
