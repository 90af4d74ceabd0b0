"""JSON documents to models and back."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

from cmlapi import models
from cmlapi.models.base import ApiEnum, ApiModel

_LIST = re.compile(r"list\[(.*)\]")
_DICT = re.compile(r"dict\(([^,]*), (.*)\)")
PRIMITIVE_TYPES = (float, bool, bytes, str, int)
NATIVE_TYPES_MAPPING: dict[str, type] = {
    "int": int,
    "long": int,
    "float": float,
    "str": str,
    "bool": bool,
    "date": datetime.date,
    "datetime": datetime.datetime,
    "object": object,
}


def to_json(value: Any) -> Any:
    """Return `value` as plain JSON data; attributes of a model that are None are left out."""
    match value:
        case ApiModel():
            fields = {name: getattr(value, name) for name in value.swagger_types}
            return {
                value.attribute_map[name]: to_json(item)
                for name, item in fields.items()
                if item is not None
            }
        case Mapping():
            return {key: to_json(item) for key, item in value.items()}
        case list():
            return [to_json(item) for item in value]
        case tuple():
            return tuple(to_json(item) for item in value)
        case datetime.date():  # of which a datetime is one
            return value.isoformat()
        case _:
            return value


def from_json(data: Any, kind: str | type) -> Any:
    """Return JSON `data` as a value of `kind`, a class or the description's word for one.

    Unknown fields are passed over. Raises `ValueError` where a value cannot be read as its type.
    """
    if data is None:
        return None
    if isinstance(kind, str):
        if container := _LIST.fullmatch(kind):
            return [from_json(item, container[1]) for item in data]
        if container := _DICT.fullmatch(kind):
            return {key: from_json(item, container[2]) for key, item in data.items()}
        kind = NATIVE_TYPES_MAPPING.get(kind) or getattr(models, kind)
    if kind is object:
        return data
    if kind in (datetime.datetime, datetime.date):
        return kind.fromisoformat(data)
    if kind in PRIMITIVE_TYPES:
        return kind(data)
    return _model(data, kind)


def _model(data: Any, kind: type[ApiModel]) -> Any:
    if issubclass(kind, ApiEnum):
        return str(data)
    if not isinstance(data, Mapping):
        raise ValueError(f"{kind.__name__}: {data!r} is not a JSON object")
    present = {
        name: (data[kind.attribute_map[name]], field_kind)
        for name, field_kind in kind.swagger_types.items()
        if kind.attribute_map[name] in data
    }
    return kind(**{name: from_json(*given) for name, given in present.items()})
