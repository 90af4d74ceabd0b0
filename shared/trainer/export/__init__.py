"""Export jobs: a base model with its adapter, merged, compared and registered."""
