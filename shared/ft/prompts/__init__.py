"""Prompt templates, and notices about them."""
