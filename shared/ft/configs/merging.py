"""Merges configs that users give into shipped ones, and describes the settings in effect."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ft.configs.generation import SAMPLING_SETTINGS
from ft.enums import ConfigType

__all__ = ["differences", "kind_of", "lines", "merged", "parsed"]

Config = Mapping[str, Any]
SECRET = ("hub_token",)
_REMOVES: Mapping[tuple[str, Any], tuple[str, ...]] = {
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
"""Shipped settings that a given setting with this value removes."""


def parsed(text: str) -> dict[str, Any] | None:
    """The JSON object in a text; None if it is not valid, which the studio then refuses."""

    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError("a key appears twice")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        found = json.loads(text, object_pairs_hook=distinct, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def merged(shipped: Config, given: Config) -> dict[str, Any]:
    """Merges the given settings into the shipped ones.

    Null removes a shipped setting. For a setting that is not shipped, null is a value.
    """
    gone = {name for name, value in given.items() if value is None and name in shipped}
    for (name, value), others in _REMOVES.items():
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
        elif settings[name] != shipped[name] or (
            isinstance(settings[name], bool) != isinstance(shipped[name], bool)
        ):
            found[name] = f"shipped: {_text(name, shipped)}"
    return found


def lines(settings: Config, shipped: Config) -> Iterator[str]:
    """The settings in effect, one per line, with their differences from the shipped ones."""
    differing = differences(settings, shipped)
    for name in [*settings, *(one for one in differing if one not in settings)]:
        value = _text(name, settings) if name in settings else "-"
        yield f"{name}: {value}" + (f"   ({differing[name]})" if name in differing else "")


def kind_of(field: str) -> ConfigType:
    """The type of the config that a field of a request contains."""
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
