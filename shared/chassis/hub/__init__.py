"""Requests to the Hugging Face hub."""
