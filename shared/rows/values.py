"""Values of rows, and their one form as text.

A value is a text, None for null or an absent value, True, False, a whole number, a `NumberLiteral`,
a list, or an object (dict) of such values.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

from rows.errors import DataError

Value = str | bool | int | float | list[Any] | dict[str, Any] | None
"""Value of a cell."""
MAX_DEPTH = 100
"""Maximum nesting of lists and objects."""
_OF_JSON = (bool, int, float, list, tuple, dict)
TOO_DEEP = f"lists and objects are nested more than {MAX_DEPTH} deep"
MAX_DIGITS = 4300
"""Maximum digits of a whole number: Python converts no more from and to text."""


class NumberLiteral(float):
    """A number with a fraction or an exponent that keeps the digits it was written with."""

    text: str
    """The number as written in the file."""

    def __new__(cls, text: str) -> "NumberLiteral":
        """The number that the text, in JSON's grammar, stands for."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def __format__(self, spec: str) -> str:
        return float.__format__(self, spec) if spec else self.text

    def __reduce__(self) -> tuple[Any, ...]:
        return NumberLiteral, (self.text,)


def as_text(value: Value) -> str:
    """The text that a template has for a value.

    A text is itself, null is empty, a number is its digits as in the file, true and false are
    `true` and `false`, and a list or an object is JSON.
    """
    if value is None:
        return ""
    # Other types of datasets of the hub, such as times, are written as Python writes them.
    return to_json(value) if isinstance(value, _OF_JSON) else str(value)


def to_json(value: Any) -> str:
    """A value as JSON, with letters of every script unescaped, and numbers by their digits.

    Values of other types, which datasets of the hub may have, are quoted texts.
    """
    return _written(value, _READABLE)


def to_canonical_json(value: Any) -> str:
    """A value as JSON that is the same for any order of keys: sorted, without blanks, in ASCII."""
    return _written(value, _CANONICAL)


@dataclass(frozen=True)
class _Style:
    quoted: Callable[[str], str]
    comma: str
    colon: str
    sorts: bool


_READABLE = _Style(encode_basestring, ", ", ": ", False)
_CANONICAL = _Style(encode_basestring_ascii, ",", ":", True)


def _written(value: Any, style: _Style) -> str:
    if isinstance(value, str):
        return style.quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, NumberLiteral):
        return value.text
    if isinstance(value, int | float):
        # A float of the hub may be nan or infinite, which JSON lacks.
        return json.dumps(value)
    if isinstance(value, dict):
        pairs = sorted(value.items()) if style.sorts else value.items()
        inner = (f"{style.quoted(str(k))}{style.colon}{_written(v, style)}" for k, v in pairs)
        return f"{{{style.comma.join(inner)}}}"
    if isinstance(value, list | tuple):
        return f"[{style.comma.join(_written(one, style) for one in value)}]"
    return style.quoted(str(value))


def from_json(text: str) -> Value:
    """The value that a text of JSON stands for.

    Raises DataError, and ValueError (JSONDecodeError) if it is not JSON.
    """
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise DataError(TOO_DEEP) from None
    return _as_value(value, text)


def part_of_json(text: str, begin: int) -> tuple[Value, int]:
    """The value that begins at `begin` in a text of JSON, and its end. Raises as `from_json`."""
    try:
        value, end = _DECODER.raw_decode(text, begin)
    except RecursionError:
        raise DataError(TOO_DEEP) from None
    return _as_value(value, text[begin:end]), end


class JsonReader:
    """Reads JSON values; much faster once only the names of keys count."""

    def __init__(self) -> None:
        self.names_only = False
        """True if any number is accepted, and other checks are left to the caller."""

    def whole(self, text: str) -> Any:
        """The value of a whole text. Raises as `from_json`."""
        return self._quickly(_NAMES.decode, text) if self.names_only else from_json(text)

    def part(self, text: str, begin: int) -> tuple[Any, int]:
        """The value that begins at `begin`, and its end. Raises as `from_json`."""
        if self.names_only:
            found: tuple[Any, int] = self._quickly(_NAMES.raw_decode, text, begin)
            return found
        return part_of_json(text, begin)

    @staticmethod
    def _quickly(decode: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return decode(*arguments)
        except RecursionError:
            raise DataError(TOO_DEEP) from None


def _as_value(value: Any, source: str) -> Value:
    """Returns the value. Raises DataError if it is nested too deep, or if `source`, its text, has
    half a character."""
    if isinstance(value, list | dict) and _is_deeper(value, MAX_DEPTH):
        raise DataError(TOO_DEEP)
    if (at := source.lower().find("\\ud")) >= 0:
        try:
            to_json(value).encode()
        except UnicodeEncodeError as error:
            shown = source[at : at + 6]
            raise DataError(
                f"{shown} is half of a surrogate pair, which is not a valid character"
            ) from error
    found: Value = value
    return found


def _is_deeper(value: Any, depth: int) -> bool:
    if not isinstance(value, list | dict):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_is_deeper(one, depth - 1) for one in inner)


def _parse_integer(digits: str) -> int | NumberLiteral:
    if len(digits) > MAX_DIGITS:
        raise DataError(
            f"a number has {len(digits.lstrip('-'))} digits, and at most {MAX_DIGITS} are "
            f"allowed: {digits[:20]}…; write it as a text, in quotes"
        )
    # Python has no integer minus zero.
    return NumberLiteral(digits) if digits == "-0" else int(digits)


def _refuse_constant(word: str) -> Any:
    raise DataError(f'{word} is not a number in JSON: write null, or "{word}" as a text')


def _checked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise DataError(f"keys or column names appear more than once: {', '.join(repeated)}")
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_checked_object,
    parse_int=_parse_integer,
    parse_float=NumberLiteral,
    parse_constant=_refuse_constant,
)
_NAMES = json.JSONDecoder(parse_int=str, parse_float=str)
