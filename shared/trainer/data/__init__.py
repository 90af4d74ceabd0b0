"""Conversion of rows: texts, conversations, tokens and questions."""
