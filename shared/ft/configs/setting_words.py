"""Descriptions of the values that a JSON schema accepts for a setting."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["UNLIMITED", "fault", "hint", "shown", "wanted"]

_SHOWN = 80
"""Most characters of a wrong value that are shown."""
UNLIMITED = 2**31 - 1
"""A limit that is in practice none. Messages name it only for a value above it."""
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
    """A clause about a setting whose value the schema does not accept."""
    why = f": {schema['reason']}" if "reason" in schema else ""
    most = ""
    if isinstance(value, int | float) and value > UNLIMITED:
        kinds = schema.get("anyOf", [schema])
        if any(kind.get("maximum", 0) >= UNLIMITED for kind in kinds):
            most = f" ({UNLIMITED} at the most)"
    return f"{name} must be {' or '.join(wanted(schema))}, not {shown(value, schema)}{most}{why}"


def hint(name: str, known: Mapping[str, Mapping[str, Any]]) -> str:
    """A question that suggests a known setting with a similar name; empty if there is none."""
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
            values = [v if isinstance(v, str) else json.dumps(v) for v in one["enum"]]
            yield f"{several}{', '.join(values)}"
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
    return f" of at least {least}" if least is not None else low


def shown(value: Any, schema: Mapping[str, Any]) -> str:
    """The wrong value as JSON, cut short; `this` for a secret."""
    if schema.get("writeOnly"):
        return "this"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
