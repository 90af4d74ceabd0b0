"""Settings of the libraries: their schemas, their limits, and config objects held against them."""
