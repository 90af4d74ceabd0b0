"""Files of adapters and of weights, read without a library."""
