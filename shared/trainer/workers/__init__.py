"""Training with several workers: their launch, their agents, and how they ended."""
