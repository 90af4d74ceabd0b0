"""Measures the studio against null servers of the same kind, in one run (`make bench`)."""
