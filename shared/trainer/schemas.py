"""Schemas of the settings that the trainer takes, read off the libraries that it hands them to."""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from enum import Enum
from importlib.metadata import version
from typing import Any

from ft.training import OF_THE_STUDIO, RENAMED
from trainer.schema_types import Schema, any_of, documented, nullable, of_type

DRAFT = "https://json-schema.org/draft/2020-12/schema"
WITHOUT_EFFECT = (
    "half_precision_backend",
    "logging_dir",
    "overwrite_output_dir",
    "save_safetensors",
)
"""Settings that the libraries once had. They are left out, and the user is told."""
OWN = ("dataset_text_field", "output_dir")
"""Settings that are the studio's to choose."""
_SECRET = ("hub_token",)
"""Settings whose values are not to be shown."""
_LIMITS: Mapping[str, Schema] = {
    "per_device_train_batch_size": {"minimum": 1},
    "per_device_eval_batch_size": {"minimum": 1},
    "gradient_accumulation_steps": {"minimum": 1},
    "max_length": {"minimum": 1},
    "warmup_steps": {"minimum": 0},
    "max_grad_norm": {"minimum": 0},
    "r": {"minimum": 1},
    "lora_dropout": {"minimum": 0, "maximum": 1},
}
"""Numbers that the libraries declare no limits for, and fail with only once a job runs."""


def training_arguments() -> Schema:
    """Settings of the training: what `SFTConfig` takes, names that it used to have, and the
    studio's own."""
    from trl.trainer.sft_config import SFTConfig

    properties = {**dict(_of_dataclass(SFTConfig)), **OF_THE_STUDIO}
    for name in _SECRET:
        properties[name] = {**properties[name], "writeOnly": True}
    for old, new in RENAMED.items():
        renamed = {key: value for key, value in properties[new].items() if key != "default"}
        properties[old] = {**renamed, "deprecated": True, "description": f"Now called {new}."}
    for name in WITHOUT_EFFECT:
        properties[name] = {"deprecated": True, "description": "Left out: it has no effect."}
    for name in OWN:
        properties[name] = {"description": "Left out: the studio chooses it."}
    return _schema(properties, "trl", "transformers")


def lora_config() -> Schema:
    """Settings of the adapter: what `LoraConfig` takes."""
    from peft import LoraConfig

    properties = dict(_of_dataclass(LoraConfig))
    declared = properties["init_lora_weights"]
    # Its declaration leaves out one that the library takes.
    taken = any_of([*declared["anyOf"], {"enum": ["lora_ga"]}])
    properties["init_lora_weights"] = {**declared, **taken}
    return _schema(properties, "peft")


def bitsandbytes_config() -> Schema:
    """Settings of the quantisation: what `BitsAndBytesConfig` takes."""
    import transformers

    make: Any = transformers.BitsAndBytesConfig
    described = dict(documented(make.__doc__))
    described["bnb_4bit_quant_type"] = {"enum": ["fp4", "nf4"]}
    for name, bytes in (("bnb_4bit_compute_dtype", 2), ("bnb_4bit_quant_storage", 1)):
        described[name] = {"enum": list(_number_types(name, bytes, make))}
    properties = {}
    for name, parameter in inspect.signature(make).parameters.items():
        if parameter.kind is not parameter.VAR_KEYWORD:
            schema = described.get(name, {})
            default = parameter.default
            taken = nullable(schema) if default is None else schema
            properties[name] = {**taken, "default": default}
    # Stored configs have it; it says which library the others are for.
    properties["quant_method"] = {"enum": ["bitsandbytes"]}
    return _schema(properties, "transformers")


def generation_config() -> Schema:
    """Settings of the generation: what `GenerationConfig` takes."""
    import transformers
    from transformers.generation.configuration_utils import ALL_CACHE_IMPLEMENTATIONS

    make: Any = transformers.GenerationConfig
    described = dict(documented(make.__doc__))
    for name in ("max_new_tokens", "num_beams"):
        described[name] = {**described[name], "minimum": 1}
    described["early_stopping"] = {"anyOf": [{"type": "boolean"}, {"enum": ["never"]}]}
    described["cache_implementation"] = {"enum": [*ALL_CACHE_IMPLEMENTATIONS, "paged"]}
    names = [name for name in make().to_dict() if not name.startswith("_")]
    return _schema({name: nullable(described.get(name, {})) for name in names}, "transformers")


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "training_arguments": training_arguments,
    "lora_config": lora_config,
    "bitsandbytes_config": bitsandbytes_config,
    "generation_config": generation_config,
}
"""What makes the schema of each type of config."""


def axolotl() -> Schema:
    """Settings of a config of Axolotl, which has to be installed."""
    from trainer.axolotl.schema import settings

    properties, parts = settings()
    title = f"Axolotl {version('axolotl')}"
    return {"title": title, **_schema(properties, "axolotl"), "$defs": dict(parts)}


def _schema(properties: Mapping[str, Schema], *libraries: str) -> Schema:
    made_of = ", ".join(f"{library} {version(library)}" for library in libraries)
    return {
        "$schema": DRAFT,
        "$comment": f"Generated from {made_of} by `make schemas`: do not edit.",
        "type": "object",
        "additionalProperties": False,
        "properties": dict(properties),
    }


def _of_dataclass(kind: Any) -> Iterator[tuple[str, Schema]]:
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if field.init and not field.name.startswith("_"):
            schema = of_type(hints[field.name])
            if "choices" in field.metadata:
                choices: Schema = {"enum": list(field.metadata["choices"])}
                optional = type(None) in typing.get_args(hints[field.name])
                schema = nullable(choices) if optional else choices
            yield field.name, {**_limited(schema, field.name), **_default(field)}


def _limited(schema: Schema, name: str) -> Schema:
    limits = _LIMITS.get(name, {})
    if "anyOf" in schema:
        return {**schema, "anyOf": [_limited(one, name) for one in schema["anyOf"]]}
    kinds = schema.get("type", [])
    numeric = {"integer", "number"} & ({kinds} if isinstance(kinds, str) else set(kinds))
    return {**schema, **limits} if numeric else schema


def _default(field: "dataclasses.Field[Any]") -> Schema:
    value = field.default
    if value is dataclasses.MISSING:
        return {}
    return {"default": value.value if isinstance(value, Enum) else value}


def _number_types(name: str, least_bytes: int, make: Callable[..., Any]) -> Iterator[str]:
    """Names of torch's real number types of that size or more that this setting takes."""
    import torch

    for spelled in ("uint8", "int8", "float16", "bfloat16", "float32", "float64"):
        if getattr(torch, spelled).itemsize >= least_bytes:
            with suppress(ValueError):
                make(**{name: spelled})
                yield spelled
