"""The rules about adapters."""

from chassis.rules import Rule

BASE_MODEL = Rule(
    "FT-209", "An adapter is registered for the base model that its files name on the hub."
)
