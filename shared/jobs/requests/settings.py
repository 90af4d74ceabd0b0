"""Configs held against what the machine-learning libraries take.

The schemas are made from the libraries (`trainer.schemas.reading`), so that no service needs one.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from chassis.rpc.errors import Violations
from ft.configs import generation, lora, quantisation, training
from ft.configs.setting_words import fault, hint
from ft.enums import ConfigType
from jobs import rules
from jobs.requests.configs import TYPES

SCHEMAS = Path(__file__).parents[1] / "schemas"
"""A schema for each type of config that is for a library."""


def check_settings(field: str, config: Mapping[str, Any], found: Violations) -> set[str]:
    """Notes every setting that the library for that field's config does not know, or whose value
    it does not take; the names of the latter."""
    schema = _schema(TYPES[field])
    known = schema["properties"]
    for name in config:
        if name not in known:
            found.add(field, rules.KNOWN_SETTING, f"unknown setting {name}{hint(name, known)}")
    errors = Draft202012Validator(schema).iter_errors(config)
    wrong = dict.fromkeys(str(error.path[0]) for error in errors if error.path)
    for name in wrong:
        found.add(field, rules.SETTING_VALUE, fault(name, config[name], known[name]))
    return set(wrong)


def contradictions(field: str, config: Mapping[str, Any]) -> list[str]:
    """Contradictions in a config whose values are of the right kinds, a clause each."""
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
                *training.worker_notices(config, workers),
                *training.hardware_faults(config, gpus)[1],
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
