"""Texts that a prompt's templates make of rows."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date, time
from decimal import Decimal
from typing import Any

from datasets import Dataset

from ft.api import PromptMetadata
from ft.prompts.fields import TEMPLATES
from ft.prompts.templates import MAX_WIDTH, Placeholder, TemplateFault, parse, too_wide
from rows.errors import DataError, first_line
from rows.values import NumberLiteral, as_text

_NUMERIC = re.compile(r"(?:.?[<>=^])?[-+ ]?z?#?(0?)\d*([,_]?)(?:\.\d+)?([bcdeEfFgGnoxX%]?)")
"""A format of numbers; its groups are zero fill, grouping of digits, and type."""
_SIGNED = re.compile(r"(?:.?[<>=^])?[-+ ]")
_ALIGNED = re.compile(r".?[<>^]")
_WHOLE_TYPES = "bcdoxX"
_FLOAT_TYPES = tuple("eEfFgG%")
_FAULTS = (ArithmeticError, LookupError, TypeError, ValueError)


def of(prompt: PromptMetadata) -> dict[str, str]:
    """The templates of a prompt, by the names of their fields."""
    return {name: getattr(prompt, name) for name in TEMPLATES}


class RowTemplate:
    """A template, parsed for the columns of a dataset."""

    def __init__(self, template: str, columns: Iterable[str], template_name: str) -> None:
        """`columns` are those of the dataset. Raises DataError if the template is malformed, or
        uses a column that the dataset lacks."""
        known = list(columns)
        try:
            self._template = parse(template, known)
        except TemplateFault as fault:
            raise DataError(f"The prompt's {template_name} is malformed: {fault}.") from fault
        self.columns = self._template.columns()
        """Columns that the template uses, each once."""
        for name in self.columns:
            if name not in known:
                raise DataError(
                    f"The prompt's {template_name} uses column {name}, but the dataset has only "
                    f"{', '.join(known)}."
                )
        self.whole_columns = {one.column for one in self._template.placeholders() if not one.items}
        """Columns whose whole value the template uses."""

    def fill(self, row: Mapping[str, Any]) -> str:
        """The text for a row. A value that is null or absent is an empty text.

        Raises DataError for a row that lacks an item, or has a value that does not fit its format.
        """
        return _filled(self._template.parts, row)

    def without_value(self, row: Mapping[str, Any]) -> list[str]:
        """Placeholders, as written, whose value in the row is null or absent."""
        return [one.text for one in self._template.placeholders() if _value(one, row) is None]

    def blanks(self, row: Mapping[str, Any]) -> list[str]:
        """Placeholders, as written, whose value in the row is a text of blanks. Raises DataError
        for a row that lacks an item."""
        found = {one.text: _value(one, row) for one in self._template.placeholders()}
        return [name for name, v in found.items() if isinstance(v, str) and not v.strip()]


def report_blank_answers(completion: str, rows: Dataset, notify: Callable[[str], None]) -> None:
    """Reports, for each placeholder of a completion_template, how many rows have a blank text.

    Rows that the template does not fit are skipped here; they are refused when they are used.
    """
    try:
        made = RowTemplate(completion, rows.column_names, "completion_template")
    except DataError:
        return
    found: Counter[str] = Counter()
    for row in rows.select_columns(made.columns) if made.columns else ():
        with suppress(DataError):
            found.update(made.blanks(row))
    for name, count in found.items():
        notify(f"{{{name}}} is blank in {count} of {len(rows)} rows: the answer lacks it there.")


def report_empty_values(
    templates: Iterable[str], rows: Dataset, notify: Callable[[str], None]
) -> None:
    """Reports, for each placeholder, how many rows have no value, so that it is filled with an
    empty text.

    Rows that a template does not fit are skipped here; they are refused when they are used.
    """
    made = [RowTemplate(one, rows.column_names, "template") for one in templates]
    columns = list(dict.fromkeys(name for one in made for name in one.columns))
    found: Counter[str] = Counter()
    for row in rows.select_columns(columns) if columns else ():
        with suppress(DataError):
            found.update({name for one in made for name in one.without_value(row)})
    for name, count in found.items():
        notify(
            f"{{{name}}} has no value in {count} of {len(rows)} rows: an empty text is used there."
        )


def check_columns(template: str, columns: Iterable[str], template_name: str) -> None:
    """Raises DataError naming a column that the template uses and the dataset lacks."""
    RowTemplate(template, columns, template_name)


def used_columns(columns: Iterable[str], *given: str) -> list[str]:
    """The columns of a dataset that templates use, each once. Raises DataError if a template is
    malformed, or uses a column that the dataset lacks."""
    known = list(columns)
    used = (RowTemplate(template, known, "template").columns for template in given)
    return list(dict.fromkeys(name for names in used for name in names))


def fill(template: str, row: Mapping[str, Any]) -> str:
    """The text of a template for a row that has every column of its dataset."""
    return RowTemplate(template, row, "template").fill(row)


def _filled(parts: Iterable[str | Placeholder], row: Mapping[str, Any]) -> str:
    return "".join(one if isinstance(one, str) else _written(one, row) for one in parts)


def _written(placeholder: Placeholder, row: Mapping[str, Any]) -> str:
    value = _value(placeholder, row)
    if placeholder.conversion:
        # `!r` quotes texts as in Python; numbers, lists and objects are the same without it.
        quoted = placeholder.conversion != "s" and (value is None or isinstance(value, str))
        value = repr(as_text(value)) if quoted else as_text(value)
        if placeholder.conversion == "a":
            value = value.encode("ascii", "backslashreplace").decode()
    if not placeholder.format:
        return as_text(value)
    format = _filled(placeholder.format, row)
    if too_wide(format):
        raise DataError(
            f"{{{placeholder.text}}} is wider than {MAX_WIDTH} characters: {format[:20]}"
        )
    try:
        return _formatted(value, format)
    except _FAULTS as error:
        shown = as_text(value)[:40]
        why = first_line(error)
        raise DataError(
            f"{{{placeholder.text}}} cannot be written as {format!r}: the value is {shown!r}; {why}"
        ) from error


def _value(placeholder: Placeholder, row: Mapping[str, Any]) -> Any:
    value = row.get(placeholder.column)
    path = placeholder.column
    for item in placeholder.items:
        if value is None:
            return None
        if isinstance(value, Mapping):
            if item not in value:
                keys = ", ".join(map(str, value)) or "none"
                raise DataError(f"{path} has no item {item}; its keys are {keys[:200]}")
            value = value[item]
        elif isinstance(value, list | tuple):
            number = int(item) if item.isascii() and item.isdigit() and len(item) < 10 else None
            if number is None or number >= len(value):
                raise DataError(
                    f"{path} has no item {item}: it is a list of {len(value)}, counted from 0"
                )
            value = value[number]
        else:
            raise DataError(
                f"{path} has no items, so it has no item [{item}]: it is {as_text(value)[:40]!r}"
            )
        path = f"{path}[{item}]"
    return value


def _formatted(value: Any, format: str) -> str:
    if isinstance(value, date | time):
        return value.__format__(format)
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    found = _NUMERIC.fullmatch(format)
    asked = found is not None and (found[1] or found[2] or found[3] or _SIGNED.match(format))
    if value is None and asked:
        return ""
    if found and (found[3] or (numeric and asked)):
        type = found[3]
        if not isinstance(value, int | float):
            text = as_text(value).strip()
            is_whole = type in _WHOLE_TYPES or re.fullmatch(r"-?\d+", text)
            value = int(text) if is_whole else NumberLiteral(text)
        elif type and type in _WHOLE_TYPES and value == int(value):
            value = int(value)
        return _number_text(value, format)
    if numeric and not _ALIGNED.match(format):
        # As in Python, numbers are aligned to the right.
        return as_text(value).__format__(f">{format}")
    return as_text(value).__format__(format)


def _number_text(number: int | float, format: str) -> str:
    """The number in a format; a float keeps the digits that it was written with."""
    if isinstance(number, int) and format[-1:] not in _FLOAT_TYPES:
        return number.__format__(format)
    exact = Decimal(str(number))
    if not exact.is_finite() or exact == Decimal(repr(float(exact))):
        return number.__format__(format)
    if abs(exact.adjusted()) > MAX_WIDTH:
        raise ValueError(f"it would have more than {MAX_WIDTH} digits")
    return exact.__format__(format)


def training_text(text: str, end_of_text: str) -> str:
    """The filled template with the end-of-text token, so that the model learns to stop."""
    return text + end_of_text
