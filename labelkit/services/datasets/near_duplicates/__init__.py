"""Near-duplicates: frames of different groups that look alike, searched for, kept as evidence and ruled on."""
