"""Evaluation jobs: held-out rows, what a model makes of them, and scores."""
