"""Reads, compares and writes the content of configs, in JSON or YAML."""

import json
import re
from functools import lru_cache
from typing import Any

import yaml

from chassis.rpc import json_objects
from ft.enums import ConfigType

MAX_VALUES = 100_000
"""How many values a config may have once YAML aliases are followed: a few lines of them can stand
for more than any memory holds."""

_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


class ContentFault(Exception):
    """The text is not a config. The message says where and why."""


def parse(type: str, text: str) -> dict[str, Any]:
    """The object that the text holds: YAML for type axolotl, JSON for all others.

    Raises ContentFault.
    """
    try:
        content = _parse_yaml(text) if type == ConfigType.AXOLOTL else json_objects.parse(text)
        _comparable(type, content, [MAX_VALUES])
    except json_objects.JsonFault as fault:
        raise ContentFault(str(fault)) from None
    except RecursionError:
        raise ContentFault("is nested too deeply") from None
    return content


def canonical(type: str, content: dict[str, Any]) -> str:
    """The text under which the content is stored."""
    if type == ConfigType.AXOLOTL:
        return yaml.safe_dump(content, allow_unicode=True)
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=10_000)
def key(type: str, text: str) -> str:
    """Equal for texts that say the same, whatever the order of keys or the spelling of numbers.

    A text that is no config, which an import may have brought in, equals itself only.
    """
    try:
        return json.dumps(_comparable(type, parse(type, text), [MAX_VALUES]), sort_keys=True)
    except ContentFault:
        return text


def _parse_yaml(text: str) -> dict[str, Any]:
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1} column {mark.column + 1}: " if mark else ""
        raise ContentFault(f"{place}not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ContentFault(f"not YAML: {error}") from None
    if not isinstance(content, dict):
        kind = json_objects.kind_of(content)
        raise ContentFault(f"line 1 column 1: must be an object of settings, not {kind}")
    return content


class _Loader(yaml.SafeLoader):
    """Refuses what merge keys blow up: a level of `<<: [*a, *a]` has twice the pairs of the one
    below."""

    merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        # Also called for each mapping that is merged into another, before that is done.
        self.merged += len(node.value)
        if self.merged > MAX_VALUES:
            raise ContentFault(f"has more than {MAX_VALUES} values")


def _comparable(type: str, value: Any, left: list[int]) -> Any:
    """The value with one spelling for equal numbers; `left` is how many values it may still have.

    True and 1 stay different, and so do the keys 1 and "1" of a YAML mapping.
    """
    left[0] -= 1
    if left[0] < 0:
        raise ContentFault(f"has more than {MAX_VALUES} values")
    match value:
        case dict():
            return {
                f"{k.__class__.__name__} {k}": _comparable(type, v, left) for k, v in value.items()
            }
        case list() | tuple() | set():
            return [_comparable(type, item, left) for item in value]
        case float() if value.is_integer():
            return int(value)
        case int() if value.bit_length() > json_objects.MAX_BITS:
            raise ContentFault("has a number that is larger than any number can be")
        case str() if type == ConfigType.AXOLOTL and (number := _yaml_number(value)) is not None:
            return _comparable(type, number, left)
        case None | bool() | int() | float() | str():
            return value
    return f"{value.__class__.__name__} {value}"


def _yaml_number(text: str) -> float | None:
    """The number behind a text such as 2e-4, which YAML 1.1 takes for text and Axolotl does not."""
    if not _EXPONENT.fullmatch(text):
        return None
    return float(text)
