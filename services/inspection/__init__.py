"""Looks into data, tokenizer and model of a job before money is spent on it."""
