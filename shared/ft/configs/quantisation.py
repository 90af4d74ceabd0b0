"""Settings of the quantisation that contradict each other, or that have no effect."""

from collections.abc import Mapping
from typing import Any

__all__ = ["conflicts", "notices"]


def conflicts(config: Mapping[str, Any]) -> list[str]:
    """Settings that contradict each other, a clause each."""
    if config.get("load_in_4bit") and config.get("load_in_8bit"):
        return ["load_in_4bit and load_in_8bit cannot both be true"]
    return []


def notices(config: Mapping[str, Any], gpus: int) -> list[str]:
    """Settings that have no effect in a job with so many GPUs, a clause each."""
    bits = 4 if config.get("load_in_4bit") else 8 if config.get("load_in_8bit") else 0
    if bits and not gpus:
        return [f"{bits}-bit quantisation is replaced by 32-bit weights: the job has no GPU"]
    other = "bnb_4bit_" if bits != 4 else "llm_int8_"
    found = [name for name in config if name.startswith(other) and config[name]]
    loaded = "load_in_4bit" if other == "bnb_4bit_" else "load_in_8bit"
    if found:
        return [f"{', '.join(found)}: no effect, since {loaded} is not true"]
    return []
