"""MLflow: runs, reports, and registered models."""
