"""A model's `config.json`, as `save_pretrained` writes it."""

import json
from pathlib import Path
from typing import Any

CONFIG_FILE = "config.json"
MAX_BYTES = 16 * 1024 * 1024
"""Largest config file that is read. Those of the largest models have some tens of KiB."""


class ConfigFault(Exception):
    """There is no usable config. The message says what is wrong with it."""


def read(file: Path) -> dict[str, Any]:
    """The content of a config file that says which kind of model it is about.

    Raises ConfigFault.
    """
    if not file.is_file():
        # Also what is there but would never end, or never begin, to be read: a device, a pipe.
        raise ConfigFault(f"has no {CONFIG_FILE}")
    try:
        if (size := file.stat().st_size) > MAX_BYTES:
            raise ConfigFault(f"{CONFIG_FILE} has {size} bytes; {MAX_BYTES} are allowed")
        content = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ConfigFault(f"{CONFIG_FILE} line {error.lineno}: not JSON: {error.msg}") from None
    except (OSError, ValueError, RecursionError) as error:
        # ValueError: not UTF-8, or a number with thousands of digits.
        raise ConfigFault(f"{CONFIG_FILE} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ConfigFault(f"{CONFIG_FILE} must hold a JSON object")
    if not family(content) and not content.get("model_type"):
        raise ConfigFault(f"{CONFIG_FILE} names neither `architectures` nor a `model_type`")
    return content


def family(config: dict[str, Any]) -> str:
    """The first of the config's architectures; empty if it names none."""
    architectures = config.get("architectures")
    if isinstance(architectures, list) and architectures:
        return str(architectures[0])
    return ""
