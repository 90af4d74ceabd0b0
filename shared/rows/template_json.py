"""JSON as the filter `tojson` of chat templates writes it, with numbers by their digits."""

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
    """A value as `json.dumps` writes it, but with numbers by the digits they were written with.

    The arguments are those of the filter in `transformers`.
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
    """The value with marked texts in place of number literals: `json` has one form for all
    floats."""
    if isinstance(value, NumberLiteral):
        return f"{mark}:{value.text}"
    if isinstance(value, dict):
        return {key: _marked(one, mark) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(one, mark) for one in value]
    return value
