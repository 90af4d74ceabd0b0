"""An Axolotl config held against Axolotl's own schema, as it is written down beside the others.

Only what Axolotl is sure to refuse, or to pass over in silence, is told. Axolotl takes a value for
another type where it can read it as one, such as the text 1e-4 for a number, and so it is here.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from ft.configs.setting_words import hint, shown, wanted
from ft.enums import ConfigType
from jobs.requests.settings import SCHEMAS

MOST = 20
"""How many faults are told."""
_DATASET = re.compile(r"datasets\[\d+\]")
_OWN_PLUGINS = "axolotl."
_TRUTHS = ("true", "t", "yes", "y", "on", "1", "false", "f", "no", "n", "off", "0")

Schema = Mapping[str, Any]


def faults(config: Any) -> list[str]:
    """What is wrong with the settings of a config, each with its path; nothing if it is none."""
    if not isinstance(config, dict):
        return []
    schema = _schema()
    if not _knows_plugins(config.get("plugins")):
        schema = {**schema, "additionalProperties": True}
    found = list(islice(_in_object(config, [schema], ""), MOST + 1))
    return found if len(found) <= MOST else [*found[:MOST], "there is more that is wrong"]


@lru_cache
def _schema() -> Schema:
    schema: Schema = json.loads((SCHEMAS / f"{ConfigType.AXOLOTL}.json").read_text())
    return schema


def _knows_plugins(plugins: Any) -> bool:
    """Whether every plugin is Axolotl's own: another may take any setting."""
    named = plugins if isinstance(plugins, list | tuple | set) else []
    return all(str(one).startswith(_OWN_PLUGINS) for one in named)


def _in_value(value: Any, schemas: Sequence[Schema], path: str) -> Iterator[str]:
    taken = [one for schema in schemas for one in _alternatives(schema)]
    fitting = [one for one in taken if _fits(value, one)]
    if not fitting:
        words = dict.fromkeys(word for one in taken for word in wanted(_outermost(one)))
        # What Axolotl takes for nothing would be no help.
        said = " or ".join(word for word in words if word != "null")
        yield f"{path} must be {said}, not {shown(value, schemas[0])}, for {_schema()['title']}"
    elif isinstance(value, dict):
        yield from _in_object(value, fitting, path)
    elif isinstance(value, list | tuple | set):
        for place, item in enumerate(value):
            items = [_item(one, place) for one in fitting]
            yield from _in_value(item, items, f"{path}[{place}]")


def _in_object(value: Mapping[Any, Any], schemas: Sequence[Schema], path: str) -> Iterator[str]:
    """Any of the schemas may know a name: which of them Axolotl goes by depends on others."""
    known = {name: one for schema in schemas for name, one in schema.get("properties", {}).items()}
    others = [
        one for one in (s.get("additionalProperties", {}) for s in schemas) if one is not False
    ]
    for key, item in value.items():
        name = str(key)
        place = f"{path}.{name}" if path else name
        declared = [s["properties"][name] for s in schemas if name in s.get("properties", {})]
        given = [*declared, *({} if one is True else one for one in others)]
        if item is None and (not given or _may_be_left_out(path)):
            continue  # asks for nothing: configs are full of such lines
        if given:
            yield from _in_value(item, declared or given, place)
        else:
            yield f"{place} is not known to {_schema()['title']}{hint(name, known)}"


def _may_be_left_out(path: str) -> bool:
    """Tells whether null means not set there, see `trainer.axolotl.resolve`."""
    return not path or _DATASET.fullmatch(path) is not None


def _alternatives(schema: Schema) -> Iterator[Schema]:
    if "$ref" in schema:
        yield from _alternatives(_schema()["$defs"][schema["$ref"].rpartition("/")[2]])
    elif "anyOf" in schema:
        for one in schema["anyOf"]:
            yield from _alternatives(one)
    else:
        yield schema


def _outermost(schema: Schema) -> Schema:
    return {name: schema[name] for name in ("enum", "type") if name in schema}


def _item(schema: Schema, place: int) -> Schema:
    """The schema of an item of a list."""
    first: Sequence[Schema] = schema.get("prefixItems", ())
    item: Schema = first[place] if place < len(first) else schema.get("items", {})
    return item


def _fits(value: Any, schema: Schema) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    kinds = schema.get("type", ())
    return not kinds or any(
        _is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)
    )


def _is(value: Any, kind: str) -> bool:
    """Whether the value can be read as one of that kind."""
    match kind:
        case "null":
            return value is None
        case "string":
            return isinstance(value, str | bytes)
        case "boolean":
            return value in (0, 1) or str(value).strip().lower() in _TRUTHS
        case "number":
            return _number(value) is not None
        case "integer":
            number = _number(value)
            return number is not None and number == number // 1
        case "object":
            return isinstance(value, dict)
    return isinstance(value, list | tuple | set)


def _number(value: Any) -> float | None:
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, int):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
