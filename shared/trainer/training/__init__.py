"""Fine-tuning jobs: the training, its checkpoints, and the checks of both."""
