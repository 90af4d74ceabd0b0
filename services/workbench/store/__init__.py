"""The SQLite files: tables of the workbench, and the tracking store of MLflow."""
