"""The rules about adapters."""

from chassis.rules import Rule

BASE_MODEL = Rule(
    "FT-209", "An adapter is registered for the base model that its files name on the hub."
)
ON_HUB = Rule("FT-223", "A hub name of an adapter is that of a repository with an adapter in it.")
LOADABLE = Rule(
    "FT-134", "A directory of an adapter has an adapter_config.json, and weights beside it."
)
FITS = Rule(
    "FT-224", "An adapter is registered for a base model that has a place for each of its weights."
)
