"""Connects a run with the studio: arguments, claim, events, reports, and the studio's client."""
