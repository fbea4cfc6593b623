"""A version written out for others: label files with their pictures in any format, and one page of HTML."""
