"""The rules about prompts."""

from chassis.prompt_rules import BLANK, BRACES, TOKENS, WHOLE
from chassis.rules import Rule

__all__ = ["BLANK", "BRACES", "COLUMNS", "TEMPLATE", "TOKENS", "WHOLE"]

TEMPLATE = Rule(
    "FT-401",
    "A template is a text with placeholders for columns: a column's name, whatever characters it "
    "has; else by Python's rules a column, items of it by key or number, a conversion and a width "
    "of at most 1,000, without attributes.",
)
COLUMNS = Rule("FT-402", "Every placeholder of a template is a column of the prompt's dataset.")
