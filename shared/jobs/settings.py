"""Configs held against what the machine-learning libraries take.

The schemas are made from the libraries, see `trainer.schemas`, so that no service needs one.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from chassis.errors import Violations
from ft import generation, lora, quantisation, training
from ft.enums import ConfigType
from jobs import rules
from jobs.configs import TYPES

SCHEMAS = Path(__file__).parent / "schemas"
"""A schema for each type of config that is for a library."""
_SHOWN = 80
"""How much of a wrong value is shown."""
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


def check_settings(field: str, config: Mapping[str, Any], found: Violations) -> set[str]:
    """Notes every setting that the library for that field's config does not know, or whose value
    it does not take; the names of the latter."""
    schema = _schema(TYPES[field])
    known = schema["properties"]
    for name in config:
        if name not in known:
            found.add(field, rules.KNOWN_SETTING, f"unknown setting {name}{hint(name, known)}")
    faults = Draft202012Validator(schema).iter_errors(config)
    wrong = dict.fromkeys(str(fault.path[0]) for fault in faults if fault.path)
    for name in wrong:
        words = " or ".join(wanted(known[name]))
        value = shown(config[name], known[name])
        why = f": {known[name]['reason']}" if "reason" in known[name] else ""
        found.add(field, rules.SETTING_VALUE, f"{name} must be {words}, not {value}{why}")
    return set(wrong)


def contradictions(field: str, config: Mapping[str, Any]) -> list[str]:
    """What contradicts what in a config whose values are of the right kinds, a clause each."""
    match TYPES[field]:
        case ConfigType.TRAINING_ARGUMENTS:
            return training.conflicts(config)
        case ConfigType.LORA_CONFIG:
            return lora.conflicts(config)
        case ConfigType.BITSANDBYTES_CONFIG:
            return quantisation.conflicts(config)
        case ConfigType.GENERATION_CONFIG:
            return generation.conflicts(config)
    return []


def without_effect(field: str, config: Mapping[str, Any], gpus: int, workers: int = 1) -> list[str]:
    """Settings that have no effect in a job with so many GPUs for each of its workers, or that it
    replaces, a clause each."""
    match TYPES[field]:
        case ConfigType.TRAINING_ARGUMENTS:
            return [
                *training.notices(config),
                *training.of_workers(config, workers),
                *training.of_hardware(config, gpus)[1],
            ]
        case ConfigType.LORA_CONFIG:
            return lora.notices(config)
        case ConfigType.BITSANDBYTES_CONFIG:
            return quantisation.notices(config, gpus)
        case ConfigType.GENERATION_CONFIG:
            return generation.notices(config)
    return []


@lru_cache
def _schema(kind: ConfigType) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{kind}.json").read_text())
    return schema


def hint(name: str, known: Mapping[str, Mapping[str, Any]]) -> str:
    """A question after the setting that may have been meant, if there is one that is alike."""
    current = [one for one, schema in known.items() if not schema.get("deprecated")]
    close = difflib.get_close_matches(name, current, n=1)
    return f". Did you mean {close[0]}?" if close else ""


def wanted(schema: Mapping[str, Any]) -> Iterator[str]:
    """What a schema takes, in words."""
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
