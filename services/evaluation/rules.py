"""The rules about evaluation jobs."""

from chassis.rules import Rule

COMBINATIONS = Rule("FT-701", "An evaluation names at least one model.")
