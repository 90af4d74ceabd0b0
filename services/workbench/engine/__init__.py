"""What makes runs of jobs happen."""
