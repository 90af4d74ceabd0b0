"""What a run finds in its Python path beside its own: the platform's package, for this machine."""
