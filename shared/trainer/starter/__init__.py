"""What a new studio has to start with: a small base model and a dataset, and how they are made."""
