"""Schema of an Axolotl config, derived from Axolotl's own schema.

It is generated for services, which cannot import Axolotl. It has only types and choices, and
nothing about a setting whose value Axolotl changes before it checks the type.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticSerializationError

from trainer.schemas.types import Schema, any_of

_KEPT = ("$ref", "additionalProperties", "items", "prefixItems", "type")
"""Keywords that are kept. Axolotl itself may correct values beyond limits, or missing ones."""
_ONLY_LOOK = ("deprecate_sharegpt_datasets",)
"""Axolotl's functions that are called before the type is checked, and change nothing."""
_CHANGED = (
    "dataset_processes",
    "message_field_content",
    "message_field_role",
    "noisy_embedding_alpha",
    "pretrain_multipack_buffer_size",
    "torch_compile_options",
)
"""Settings that Axolotl may replace, whatever their value; the flags of attention are others."""
_OF_PLUGINS = ("Args", "SwanLabConfig")
"""Ends of the names of classes with the settings of plugins."""
_SECRET = ("_key", "_secret", "_token")
"""Ends of the names of settings whose values are secret."""
_OTHER_SPELLINGS = ("FSDPConfig",)
"""Parts that Axolotl also accepts with earlier names of settings."""


def settings() -> tuple[Mapping[str, Schema], Mapping[str, Schema]]:
    """Schemas of the settings by name, including those of Axolotl's own plugins, and schemas of the
    parts that they refer to."""
    from axolotl.utils.schemas.config import AxolotlInputConfig
    from axolotl.utils.schemas.enums import LEGACY_ATTN_FLAG_TO_IMPL

    made = AxolotlInputConfig.model_json_schema(schema_generator=_Generator)
    # Settings have second names, which the schema leaves out.
    names = dict.fromkeys((*AxolotlInputConfig.model_fields, *_plugin_settings()))
    properties = {**{name: {} for name in names}, **_kept_of(made["properties"])}
    properties |= {name: {} for name in LEGACY_ATTN_FLAG_TO_IMPL}
    for name in properties:
        if name.endswith(_SECRET):
            properties[name] = {**properties[name], "writeOnly": True}
    parts = {}
    for name, declared in sorted(made["$defs"].items()):
        part: Schema = _kept(declared)
        if "properties" in declared:
            others = part.get("additionalProperties", False)
            part["additionalProperties"] = name in _OTHER_SPELLINGS or others
            part["properties"] = _kept_of(declared["properties"])
        parts[name] = part
    return properties, parts


class _Generator(GenerateJsonSchema):
    """A generator that goes on if a type has no JSON, such as a number type of torch."""

    def enum_schema(self, schema: Any) -> Schema:
        try:
            return super().enum_schema(schema)
        except PydanticSerializationError:
            return {"type": "string"}

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> Schema:
        try:
            return super().handle_invalid_for_json_schema(schema, error_info)
        except PydanticInvalidForJsonSchema:
            return {}

    def literal_schema(self, schema: Any) -> Schema:
        return {"enum": list(schema["expected"])}

    def function_before_schema(self, schema: Any) -> Schema:
        name = getattr(schema["function"]["function"], "__name__", "")
        inner = schema["schema"]
        while inner["type"].startswith("function-"):
            inner = inner["schema"]
        if inner["type"] in ("model", "model-fields") or name in _ONLY_LOOK:
            return super().function_before_schema(schema)
        return {}

    def function_wrap_schema(self, schema: Any) -> Schema:  # noqa: ARG002
        return {}

    def function_plain_schema(self, schema: Any) -> Schema:  # noqa: ARG002
        return {}


def _kept_of(properties: Mapping[str, Schema]) -> dict[str, Schema]:
    return {name: {} if name in _CHANGED else _kept(one) for name, one in properties.items()}


def _kept(made: Any) -> Any:
    if isinstance(made, list):
        return [_kept(one) for one in made]
    if not isinstance(made, dict):
        return made
    if alternatives := made.get("anyOf") or made.get("oneOf"):
        return any_of(_kept(one) for one in alternatives)
    if "enum" in made:
        return {"enum": made["enum"]}
    return {name: _kept(made[name]) for name in _KEPT if name in made}


def _plugin_settings() -> Iterator[str]:
    """Names of the settings of Axolotl's own plugins."""
    from axolotl import integrations

    for plugin in pkgutil.iter_modules(integrations.__path__):
        # A plugin whose library is not installed cannot be used either.
        with suppress(ImportError):
            module = importlib.import_module(f"{integrations.__name__}.{plugin.name}.args")
            for _, kind in inspect.getmembers(module, inspect.isclass):
                if issubclass(kind, BaseModel) and kind.__name__.endswith(_OF_PLUGINS):
                    yield from kind.model_fields
