"""`fts demo`: from nothing to a fine-tuned model, with the starter model and data."""
