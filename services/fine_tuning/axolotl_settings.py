"""Checks an Axolotl config by Axolotl's own schema, a copy of which is in `jobs/schemas`.

Reports only settings that Axolotl certainly refuses or ignores. Axolotl accepts a value of another
type if it can convert it, such as the text 1e-4 for a number; so does this check.
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
"""Number of faults that are reported."""
_DATASET = re.compile(r"datasets\[\d+\]")
_OWN_PLUGINS = "axolotl."
_TRUTHS = ("true", "t", "yes", "y", "on", "1", "false", "f", "no", "n", "off", "0")

Schema = Mapping[str, Any]


def faults(config: Any) -> list[str]:
    """Returns the faults of a config's settings, each with its path; none for other content."""
    if not isinstance(config, dict):
        return []
    schema = _schema()
    plugins = config.get("plugins")
    named = plugins if isinstance(plugins, list | tuple | set) else []
    if not all(str(one).startswith(_OWN_PLUGINS) for one in named):
        # A plugin that is not Axolotl's own may take any setting.
        schema = {**schema, "additionalProperties": True}
    found = list(islice(_in_object(config, [schema], ""), MOST + 1))
    return found if len(found) <= MOST else [*found[:MOST], "there are further faults"]


@lru_cache
def _schema() -> Schema:
    schema: Schema = json.loads((SCHEMAS / f"{ConfigType.AXOLOTL}.json").read_text())
    return schema


def _in_value(value: Any, schemas: Sequence[Schema], path: str) -> Iterator[str]:
    taken = [one for schema in schemas for one in _alternatives(schema)]
    fitting = [one for one in taken if _fits(value, one)]
    if not fitting:
        outermost = [{n: one[n] for n in ("enum", "type") if n in one} for one in taken]
        words = dict.fromkeys(word for one in outermost for word in wanted(one))
        # null means that the setting is not set, which is no remedy.
        said = " or ".join(word for word in words if word != "null")
        yield f"{path} must be {said}, not {shown(value, schemas[0])}, for {_schema()['title']}"
    elif isinstance(value, dict):
        yield from _in_object(value, fitting, path)
    elif isinstance(value, list | tuple | set):
        for place, item in enumerate(value):
            items = [_item(one, place) for one in fitting]
            yield from _in_value(item, items, f"{path}[{place}]")


def _in_object(value: Mapping[Any, Any], schemas: Sequence[Schema], path: str) -> Iterator[str]:
    """Accepts a name that any of the schemas has: which one applies depends on other settings."""
    known = {name: one for schema in schemas for name, one in schema.get("properties", {}).items()}
    others = [
        one for one in (s.get("additionalProperties", {}) for s in schemas) if one is not False
    ]
    for key, item in value.items():
        name = str(key)
        place = f"{path}.{name}" if path else name
        declared = [s["properties"][name] for s in schemas if name in s.get("properties", {})]
        given = [*declared, *({} if one is True else one for one in others)]
        # Null means not set on the top level and in a dataset, see `trainer.axolotl.resolve`.
        if item is None and (not given or not path or _DATASET.fullmatch(path)):
            continue
        if given:
            yield from _in_value(item, declared or given, place)
        else:
            yield f"{place} is not known to {_schema()['title']}{hint(name, known)}"


def _alternatives(schema: Schema) -> Iterator[Schema]:
    if "$ref" in schema:
        yield from _alternatives(_schema()["$defs"][schema["$ref"].rpartition("/")[2]])
    elif "anyOf" in schema:
        for one in schema["anyOf"]:
            yield from _alternatives(one)
    else:
        yield schema


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
        _converts(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)
    )


def _converts(value: Any, kind: str) -> bool:
    """Tells whether the value can be converted to that type of JSON schema."""
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
