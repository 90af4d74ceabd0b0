"""Served models: their answers, their code, and the answers that verify them."""
