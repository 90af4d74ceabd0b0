"""Strict parser for configs in JSON: no duplicate keys, no infinite numbers, limited depth."""

import json
import math
from collections import Counter
from typing import Any, NoReturn

MAX_BITS = 1024
"""Most bits of a whole number, as many as the largest floating-point number has."""
MAX_DEPTH = 200
"""Most levels of nesting."""


class JsonFault(Exception):
    """A text that is not a JSON object. The message says why."""


def parse(text: str) -> dict[str, Any]:
    """Returns the object in a JSON text.

    Raises JsonFault if it is no JSON object, a key appears twice or a number is not finite.
    """
    try:
        content = json.loads(
            text,
            object_pairs_hook=_distinct,
            parse_constant=_not_json,
            parse_float=_finite,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise JsonFault(f"{place}: not JSON: {error.msg}") from None
    except ValueError as error:
        # A number with thousands of digits.
        raise JsonFault(f"not JSON: {error}") from None
    except RecursionError:
        raise JsonFault("is nested too deeply") from None
    if not isinstance(content, dict):
        raise JsonFault(f"line 1 column 1: must be an object of settings, not {kind_of(content)}")
    _require_flat(content, MAX_DEPTH)
    return content


def kind_of(content: Any) -> str:
    """Returns a word for the kind of a value."""
    names = {
        dict: "an object",
        list: "a list",
        str: "text",
        bool: "true or false",
        type(None): "nothing",
    }
    return names.get(type(content), "a number")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        times = Counter(name for name, _ in pairs)
        repeated = sorted(name for name in times if times[name] > 1)
        raise JsonFault(f"keys appear more than once: {', '.join(repeated)}")
    return content


def _not_json(constant: str) -> NoReturn:
    raise JsonFault(f"not JSON: {constant}")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise JsonFault(f"{text} is larger than any number can be")
    return number


def _whole(text: str) -> int:
    number = int(text)
    if number.bit_length() > MAX_BITS:
        raise JsonFault("has a number that is larger than any number can be")
    return number


def _require_flat(value: Any, levels: int) -> None:
    if not levels:
        raise JsonFault("is nested too deeply")
    within = value.values() if isinstance(value, dict) else value
    for one in within:
        if isinstance(one, dict | list):
            _require_flat(one, levels - 1)
