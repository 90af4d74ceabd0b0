"""The rules about adapters."""

from chassis.rpc.rules import Rule

BASE_MODEL = Rule(
    "FT-209",
    "If an adapter's files name a base model on the hub, the adapter is registered for that base "
    "model.",
)
ON_HUB = Rule(
    "FT-223", "An adapter's hub name is the name of a hub repository that contains an adapter."
)
LOADABLE = Rule("FT-134", "The directory of an adapter has an adapter_config.json and weights.")
FITS = Rule(
    "FT-224",
    "The base model that an adapter is registered for has a matching module for each of the "
    "adapter's weights.",
)
