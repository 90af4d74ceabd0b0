"""MLflow: runs, reports, and models that it keeps."""
