"""Served models: their requests, and the recorded answers that verify them."""
