"""JSON as chat templates write it with their filter `tojson`, and numbers by their digits."""

import json
import re
import uuid
from typing import Any

from rows.values import NumberLiteral


def dumps(
    x: Any,
    ensure_ascii: bool = False,
    indent: Any = None,
    separators: Any = None,
    sort_keys: bool = False,
) -> str:
    """A value as `json.dumps` writes it, except that a number stands as it does in its file.

    The arguments are those that templates know of the filter of `transformers`.
    """
    options = {
        "ensure_ascii": ensure_ascii,
        "indent": indent,
        "separators": separators,
        "sort_keys": sort_keys,
    }
    mark = uuid.uuid4().hex
    return re.sub(f'"{mark}:([^"]*)"', r"\1", json.dumps(_marked(x, mark), **options))


def _marked(value: Any, mark: str) -> Any:
    """The value with marked texts in place of numbers: `json` writes every float in one way."""
    if isinstance(value, NumberLiteral):
        return f"{mark}:{value.text}"
    if isinstance(value, dict):
        return {key: _marked(one, mark) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(one, mark) for one in value]
    return value
