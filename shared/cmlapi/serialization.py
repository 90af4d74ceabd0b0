"""JSON documents to models and back."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

from cmlapi import models
from cmlapi.models.base import ApiModel

_CONTAINER = re.compile(r"(list|dict)[\[(](?:str, )?(\w+)[\])]")
_PRIMITIVES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}


def to_json(value: Any) -> Any:
    """Return `value` as plain JSON data; attributes that are None are left out."""
    match value:
        case ApiModel():
            fields = {name: getattr(value, name) for name in value.swagger_types}
            return {name: to_json(item) for name, item in fields.items() if item is not None}
        case Mapping():
            return {key: to_json(item) for key, item in value.items()}
        case list() | tuple():
            return [to_json(item) for item in value]
        case datetime.datetime():
            return value.isoformat()
        case _:
            return value


def from_json(data: Any, kind: str) -> Any:
    """Return JSON `data` as a value of the described type `kind`.

    Unknown fields are passed over. Raises `ValueError` where a value cannot be read as its type.
    """
    if data is None:
        return None
    if container := _CONTAINER.fullmatch(kind):
        inner = container[2]
        if container[1] == "list":
            return [from_json(item, inner) for item in data]
        return {key: from_json(item, inner) for key, item in data.items()}
    if kind == "datetime":
        return datetime.datetime.fromisoformat(data)
    if primitive := _PRIMITIVES.get(kind):
        return primitive(data)
    described = getattr(models, kind)
    if not issubclass(described, ApiModel):
        return str(data)
    return described(
        **{
            name: from_json(data[name], field_kind)
            for name, field_kind in described.swagger_types.items()
            if name in data
        }
    )
