"""The rules about prompts."""

from chassis.rules import Rule

TEMPLATE = Rule(
    "FT-401",
    "A template is a Python format string whose placeholders are names of columns and nothing "
    "more.",
)
COLUMNS = Rule("FT-402", "Every placeholder of a template is a column of the prompt's dataset.")
