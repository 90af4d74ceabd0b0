"""Settings of the libraries: their schemas, their limits, and config objects checked against
them."""
