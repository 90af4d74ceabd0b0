"""The platform's package for this machine, which each run has in its Python path."""
