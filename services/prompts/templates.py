"""Prompt templates: Python format strings whose placeholders are column names."""

import re
from collections.abc import Iterator
from string import Formatter

_CONVERSIONS = (None, "s", "r", "a")

MAX_WIDTH = 1000
"""How wide a placeholder may be: a few digits can ask for more than any memory holds."""
MAX_WITHIN = 1
"""What `str.format` fills in: a placeholder's format may have placeholders, theirs may not."""


class TemplateFault(Exception):
    """The text is not a template over named columns. The message says why."""


def placeholders(template: str) -> list[str]:
    """The column names that the template refers to, in order, each once.

    Raises TemplateFault for a malformed format string, and for placeholders that a row of plain
    columns cannot fill: positional ones, attributes, items.
    """
    return list(dict.fromkeys(_names(template)))


def _names(template: str, within: int = 0) -> Iterator[str]:
    try:
        fields = list(Formatter().parse(template))
    except ValueError as error:
        raise TemplateFault(f"not a format string: {error}") from None
    for _, name, format_spec, conversion in fields:
        if name is None:
            continue
        if within > MAX_WITHIN:
            raise TemplateFault(f"placeholder {{{name}}} is nested too deeply")
        if not name or name.isdigit():
            raise TemplateFault(f"placeholder {{{name}}} must name a column")
        if "." in name or "[" in name:
            raise TemplateFault(f"placeholder {{{name}}} must be a column's name and nothing more")
        if conversion not in _CONVERSIONS:
            raise TemplateFault(f"placeholder {{{name}}} has unknown conversion {conversion!r}")
        if any(_exceeds(number) for number in re.findall(r"[0-9]+", format_spec or "")):
            raise TemplateFault(f"placeholder {{{name}}} is wider than {MAX_WIDTH} characters")
        yield name
        yield from _names(format_spec or "", within + 1)


def _exceeds(width: str) -> bool:
    digits = width.lstrip("0")
    return len(digits) > len(str(MAX_WIDTH)) or int(digits or 0) > MAX_WIDTH
