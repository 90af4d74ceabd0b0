"""Carries recorded jobs into the workspace and follows them until they end."""
