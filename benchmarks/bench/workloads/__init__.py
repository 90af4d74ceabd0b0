"""Kinds of calls that are measured."""
