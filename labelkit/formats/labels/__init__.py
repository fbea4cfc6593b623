"""What every reader and writer of labels shares: rows, names of files and classes, acceptance, reports."""
