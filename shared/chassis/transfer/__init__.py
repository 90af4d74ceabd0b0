"""Export and import of a domain's tables."""
