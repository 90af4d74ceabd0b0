"""The rules about prompts."""

from chassis.prompt_rules import BLANK, BRACES, TOKENS, WHOLE
from chassis.rpc.rules import Rule

__all__ = ["BLANK", "BRACES", "COLUMNS", "TEMPLATE", "TOKENS", "WHOLE"]

TEMPLATE = Rule(
    "FT-401",
    "A placeholder in a template is the name of a column, whatever characters the name has. "
    "Otherwise it follows Python's format syntax: a column, items of it by key or number, a "
    "conversion, and a width of at most 1,000, but no attributes.",
)
COLUMNS = Rule("FT-402", "Every placeholder of a template is a column of the prompt's dataset.")
