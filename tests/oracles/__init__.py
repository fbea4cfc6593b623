"""Programs of others that say whether ours are right, in environments of their own: the tests run them, labelkit never needs them."""
