"""Creates recorded jobs in the workspace and follows them until they end."""
