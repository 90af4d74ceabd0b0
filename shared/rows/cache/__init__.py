"""Rows of files, kept as Arrow entries in the project."""
