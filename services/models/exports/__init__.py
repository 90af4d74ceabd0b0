"""Exports that a job makes: to the model registry, or into one merged directory."""
