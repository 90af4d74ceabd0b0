"""The rules about configs."""

from chassis.rpc.rules import Rule

CONTENT = Rule(
    "FT-501",
    "A config is a JSON object (YAML for axolotl) with each key once and numbers that are finite.",
)
