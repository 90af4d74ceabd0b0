"""Values of settings in words, by the JSON schemas that they are held against."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["UNLIMITED", "fault", "hint", "shown", "wanted"]

_SHOWN = 80
"""Most characters of a wrong value that are shown."""
UNLIMITED = 2**31 - 1
"""A largest number that nobody means to reach; it is not told."""
_KINDS = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "null": "null",
    "object": "an object",
    "array": "a list",
}


def fault(name: str, value: Any, schema: Mapping[str, Any]) -> str:
    """A clause about a setting whose value its schema does not take."""
    why = f": {schema['reason']}" if "reason" in schema else ""
    most = f" ({UNLIMITED} at the most)" if _is_beyond(value, schema) else ""
    return f"{name} must be {' or '.join(wanted(schema))}, not {shown(value, schema)}{most}{why}"


def _is_beyond(value: Any, schema: Mapping[str, Any]) -> bool:
    """Tells whether a value breaks the limit that is not told otherwise."""
    kinds = schema.get("anyOf", [schema])
    untold = any(kind.get("maximum", 0) >= UNLIMITED for kind in kinds)
    return untold and isinstance(value, int | float) and value > UNLIMITED


def hint(name: str, known: Mapping[str, Mapping[str, Any]]) -> str:
    """A question after the setting that may have been meant, if there is one that is alike."""
    current = [one for one, schema in known.items() if not schema.get("deprecated")]
    close = difflib.get_close_matches(name, current, n=1)
    return f". Did you mean {close[0]}?" if close else ""


def wanted(schema: Mapping[str, Any]) -> Iterator[str]:
    """Describes the values that a schema accepts."""
    for one in schema.get("anyOf", [schema]):
        if "anyOf" in one:
            yield from wanted(one)
        elif "enum" in one:
            several = "one of " if len(one["enum"]) > 1 else ""
            yield f"{several}{', '.join(_spelled(value) for value in one['enum'])}"
        elif one.get("maxItems") == 0 or one.get("maxProperties") == 0:
            yield "empty"
        elif "pattern" in one:
            yield f"a text like {one['pattern']}"
        elif "items" in one:
            several = " that is not empty" if one.get("minItems") else ""
            yield f"a list{several}, each of it {' or '.join(wanted(one['items']))}"
        elif "prefixItems" in one:
            yield f"a list of {' and '.join(' '.join(wanted(i)) for i in one['prefixItems'])}"
        else:
            kinds = one["type"] if isinstance(one["type"], list) else [one["type"]]
            yield from (f"{_KINDS[kind]}{_limits(one, kind)}" for kind in kinds)


def _limits(schema: Mapping[str, Any], kind: str) -> str:
    """The limits of a value, in words."""
    if kind == "string" and "minLength" in schema:
        return " that is not empty"
    if kind not in ("integer", "number"):
        return ""
    least, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    most, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    low = f" from {least}" if least is not None else f" above {above}" if above is not None else ""
    if most is not None and most < UNLIMITED:
        return f"{low} to {most}" if low else f" up to {most}"
    if below is not None:
        return f"{low} and below {below}" if low else f" below {below}"
    return f"{low} on" if least is not None else low


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def shown(value: Any, schema: Mapping[str, Any]) -> str:
    """A wrong value as it can be shown, cut short; a secret is not."""
    if schema.get("writeOnly"):
        return "this"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
