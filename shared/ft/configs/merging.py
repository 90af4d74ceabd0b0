"""A config that people type adds to the one that the studio ships; what is in effect, in lines."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ft.configs.generation import SAMPLING_SETTINGS
from ft.enums import ConfigType

__all__ = ["differences", "kind_of", "lines", "merged", "parsed"]

Config = Mapping[str, Any]
SECRET = ("hub_token",)
_TAKES_AWAY: Mapping[tuple[str, Any], tuple[str, ...]] = {
    ("bf16", True): ("fp16",),
    ("fp16", True): ("bf16",),
    ("load_in_8bit", True): (
        "load_in_4bit",
        "bnb_4bit_quant_type",
        "bnb_4bit_compute_dtype",
        "bnb_4bit_use_double_quant",
        "bnb_4bit_quant_storage",
    ),
    ("do_sample", False): SAMPLING_SETTINGS,
}
"""Shipped settings that a given one leaves no place for."""


def parsed(text: str) -> dict[str, Any] | None:
    """The object that the text holds; None for anything else, which the studio is to refuse."""
    try:
        found = json.loads(text, object_pairs_hook=_distinct, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def merged(shipped: Config, given: Config) -> dict[str, Any]:
    """The shipped settings with those that are given in their place.

    A null takes a shipped setting away; of a setting that is not shipped it is a value.
    """
    gone = {name for name, value in given.items() if value is None and name in shipped}
    for (name, value), others in _TAKES_AWAY.items():
        if name in given and given[name] is value:
            gone |= {other for other in others if other not in given}
    if given.get("warmup_steps") is not None and "warmup_ratio" not in given:
        gone.add("warmup_ratio")
    return {name: value for name, value in {**shipped, **given}.items() if name not in gone}


def differences(settings: Config, shipped: Config) -> dict[str, str]:
    """Descriptions of the settings that differ from the shipped ones."""
    found = {}
    for name in [*settings, *(one for one in shipped if one not in settings)]:
        if name not in shipped:
            found[name] = "not in the shipped config"
        elif name not in settings:
            found[name] = f"removed; shipped: {_text(name, shipped)}"
        elif not _same(settings[name], shipped[name]):
            found[name] = f"shipped: {_text(name, shipped)}"
    return found


def lines(settings: Config, shipped: Config) -> Iterator[str]:
    """The settings in effect, one a line, with what differs from the shipped ones."""
    told = differences(settings, shipped)
    for name in [*settings, *(one for one in told if one not in settings)]:
        value = _text(name, settings) if name in settings else "-"
        yield f"{name}: {value}" + (f"   ({told[name]})" if name in told else "")


def kind_of(field: str) -> ConfigType:
    """Type of the config that a field of a request carries."""
    if field == "training_arguments_config":
        return ConfigType.TRAINING_ARGUMENTS
    if field == "lora_config":
        return ConfigType.LORA_CONFIG
    if field == "generation_config":
        return ConfigType.GENERATION_CONFIG
    return ConfigType.BITSANDBYTES_CONFIG


def _text(name: str, settings: Config) -> str:
    value = settings[name]
    if name in SECRET and value:
        return "***"
    # A control character would act on the terminal.
    return json.dumps(value, ensure_ascii=True, default=str)


def _same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a key appears twice")
    return dict(pairs)


def _refused(constant: str) -> None:
    raise ValueError(constant)
