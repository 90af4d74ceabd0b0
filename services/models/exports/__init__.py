"""Exports: served by the workspace, or made by a job for the registry or as one directory."""
