"""Rows that a job works on, and the texts that it makes of them. Jobs and the inspection use the
same code."""
