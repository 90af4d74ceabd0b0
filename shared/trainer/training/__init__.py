"""Fine-tuning jobs: the training itself, its checkpoints, and the checks around it."""
