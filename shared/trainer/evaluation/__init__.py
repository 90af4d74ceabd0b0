"""Evaluation jobs: held-out rows, outputs of a model, and scores."""
