"""Checks of configs against the schemas of the machine-learning libraries.

The schemas are generated from the libraries (`trainer.schemas.reading`), so that no service needs
to import them.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from chassis.rpc.errors import Violations
from ft.configs import generation, lora, quantisation, training
from ft.configs.setting_words import fault, hint
from ft.enums import ConfigType
from jobs import rules
from jobs.requests.configs import TYPES

SCHEMAS = Path(__file__).parents[1] / "schemas"
"""Folder with a schema for each type of config."""


def check_settings(field: str, config: Mapping[str, Any], found: Violations) -> set[str]:
    """Adds a violation for each unknown setting and each invalid value of a config.

    Returns the names of settings with invalid values.
    """
    # Here, because it would be a tenth of what the services of jobs import at their start.
    from jsonschema import Draft202012Validator

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
    """Returns contradictions in a config with valid values, a clause each."""
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
    """Returns settings that have no effect in a job, or that it replaces, a clause each.

    `gpus` is the number of GPUs of each of its `workers`.
    """
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
