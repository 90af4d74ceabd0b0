"""Schemas of the trainer's settings, derived from the libraries that use them."""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from enum import Enum
from importlib.metadata import version
from typing import Any

from ft.configs.training import LEFT_OUT, RENAMED, STUDIO_SETTINGS
from trainer.schemas.limits import LIMITS
from trainer.schemas.types import Schema, documented, nullable, of_type

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SECRET = ("hub_token",)
"""Settings whose values are secret."""
_OWN_RENAMED = ("warmup_ratio",)
"""Old names that accept other values than the new ones."""


def training_arguments() -> Schema:
    """Settings of the training: those of `SFTConfig`, their old names, and the studio's own."""
    from trl.trainer.sft_config import SFTConfig

    declared: dict[str, Schema] = {**dict(_of_dataclass(SFTConfig)), **STUDIO_SETTINGS}
    properties: dict[str, Schema] = _limited("training_arguments", declared)
    for name in _SECRET:
        properties[name] = {**properties[name], "writeOnly": True}
    for old, new in RENAMED.items():
        renamed = {key: value for key, value in properties[new].items() if key != "default"}
        properties[old] = {**renamed, "deprecated": True, "description": f"Now called {new}."}
    for name in _OWN_RENAMED:
        properties[name] = {**properties[name], **LIMITS["training_arguments"][name]}
        del properties[name]["anyOf"]
    for name, reason in LEFT_OUT.items():
        known: Schema = {} if name in properties else {"deprecated": True}
        properties[name] = {**known, "description": f"Left out: {reason}."}
    return _schema(properties, "trl", "transformers")


def lora_config() -> Schema:
    """Settings of the adapter: those of `LoraConfig`."""
    from peft import LoraConfig

    properties = dict(_of_dataclass(LoraConfig))
    properties = _limited("lora_config", properties)
    return _schema(properties, "peft")


def bitsandbytes_config() -> Schema:
    """Settings of the quantisation: those of `BitsAndBytesConfig`."""
    import transformers

    make: Any = transformers.BitsAndBytesConfig
    described = dict(documented(make.__doc__))
    described["bnb_4bit_quant_type"] = {"enum": ["fp4", "nf4"]}
    for name, bytes in (("bnb_4bit_compute_dtype", 2), ("bnb_4bit_quant_storage", 1)):
        described[name] = {"enum": list(_number_types(name, bytes, make))}
    properties: dict[str, Schema] = {}
    for name, parameter in inspect.signature(make).parameters.items():
        if parameter.kind is not parameter.VAR_KEYWORD:
            schema = described.get(name, {})
            default = parameter.default
            taken = nullable(schema) if default is None else schema
            properties[name] = {**taken, "default": default}
    properties = _limited("bitsandbytes_config", properties)
    # Stored configs have it: the name of the library.
    properties["quant_method"] = {"enum": ["bitsandbytes"]}
    return _schema(properties, "transformers")


def generation_config() -> Schema:
    """Settings of the generation: those of `GenerationConfig`."""
    import transformers
    from transformers.generation.configuration_utils import ALL_CACHE_IMPLEMENTATIONS

    make: Any = transformers.GenerationConfig
    described = dict(documented(make.__doc__))
    described["early_stopping"] = {"anyOf": [{"type": "boolean"}, {"enum": ["never"]}]}
    described["cache_implementation"] = {"enum": [*ALL_CACHE_IMPLEMENTATIONS, "paged"]}
    names = [name for name in make().to_dict() if not name.startswith("_")]
    properties = {name: nullable(described.get(name, {})) for name in names}
    return _schema(_limited("generation_config", properties), "transformers")


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "training_arguments": training_arguments,
    "lora_config": lora_config,
    "bitsandbytes_config": bitsandbytes_config,
    "generation_config": generation_config,
}
"""Functions that return the schema of each type of config."""


def axolotl() -> Schema:
    """Settings of an Axolotl config. Axolotl has to be installed."""
    from trainer.schemas.axolotl import settings

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
            if field.default is not dataclasses.MISSING:
                default = field.default
                schema = {
                    **schema,
                    "default": default.value if isinstance(default, Enum) else default,
                }
            yield field.name, schema


def _limited(kind: str, properties: Mapping[str, Schema]) -> dict[str, Schema]:
    """The settings, with the schemas of `LIMITS` in place of the declared types."""
    limits = LIMITS[kind]
    kept = ("default", "description")
    return {
        name: {**limits[name], **{key: schema[key] for key in kept if key in schema}}
        if name in limits
        else schema
        for name, schema in properties.items()
    }


def _number_types(name: str, least_bytes: int, make: Callable[..., Any]) -> Iterator[str]:
    """Names of torch's real number types of at least that size that this setting accepts."""
    import torch

    for spelled in ("uint8", "int8", "float16", "bfloat16", "float32", "float64"):
        if getattr(torch, spelled).itemsize >= least_bytes:
            with suppress(ValueError):
                make(**{name: spelled})
                yield spelled
