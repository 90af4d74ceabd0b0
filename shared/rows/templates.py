"""From a row to the text that a prompt makes of it."""

import re
import string
from collections.abc import Iterable
from typing import Any

from ft.agreed import TEMPLATES
from ft.api import PromptMetadata
from rows import values
from rows.errors import DataError


def of(prompt: PromptMetadata) -> dict[str, str]:
    """The templates of a prompt, by the names of their fields."""
    return {name: getattr(prompt, name) for name in TEMPLATES}


def check_columns(template: str, columns: Iterable[str], template_name: str) -> None:
    """Raises DataError naming what the template wants and the dataset does not have."""
    known = list(columns)
    for name in placeholders(template, template_name):
        if column(name) not in known:
            raise DataError(
                f"The prompt's {template_name} wants column {name or '{}'}, "
                f"but the dataset has only {', '.join(known)}."
            )


def placeholders(template: str, template_name: str) -> list[str]:
    """What stands between the template's braces. Raises DataError if it is malformed."""
    try:
        return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise DataError(f"The prompt's {template_name} is malformed: {error}.") from error


def used_columns(*given: str) -> list[str]:
    """The columns that templates use, each once. Raises DataError if one is malformed."""
    names = (name for template in given for name in placeholders(template, "template"))
    return list(dict.fromkeys(map(column, names)))


def column(placeholder: str) -> str:
    """The column of a placeholder, which may reach into a nested one: {answers[text]}."""
    return re.split(r"[.\[]", placeholder, maxsplit=1)[0]


def fill(template: str, row: dict[str, Any]) -> str:
    """The template with the row's values. A missing value is an empty text."""
    return _Formatter().vformat(template, (), row)


class _Formatter(string.Formatter):
    """Writes values as `values.as_text` does."""

    def format_field(self, value: Any, format_spec: str) -> str:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return format(value if number and format_spec else values.as_text(value), format_spec)


def training_text(template: str, row: dict[str, Any], end_of_text: str) -> str:
    """The filled template, ended so that the model learns to stop."""
    return fill(template, row) + end_of_text
