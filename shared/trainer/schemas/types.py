"""JSON Schema from types that a library declares or documents."""

import dataclasses
import re
import types
import typing
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

Schema = dict[str, Any]

_PLAIN: dict[Any, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    type(None): "null",
    dict: "object",
    list: "array",
}
_COUNTED = re.compile(r"(\w+)_\[number of \w+\]")
"""Documented form of a name that ends in a number."""
_ARGUMENT = re.compile(r"^ +(\w+):? *\((.+)\):\s*$", re.MULTILINE)
_DOCUMENTED: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "dict": dict,
    "list[str]": list[str],
    "list[int]": list[int],
    "list[list[int]]": list[list[int]],
    "tuple(int, float)": tuple[int, float],
    "Union[int, list[int]]": int | list[int],
    "BaseWatermarkingConfig": dict,
    # What only Python can make has no value in JSON but null.
    "CompileConfig": type(None),
}


def of_type(kind: Any) -> Schema:
    """The JSON values that a declared type accepts; any value if this is not known."""
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    if dataclasses.is_dataclass(kind):
        return {"type": "object"}
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        # A text in addition to an enumeration is the form of its values; no other text is accepted.
        if any(isinstance(one, type) and issubclass(one, Enum) for one in arguments):
            arguments = tuple(one for one in arguments if one is not str)
        return any_of(of_type(one) for one in arguments)
    if origin is typing.Literal:
        return any_of(_literal(arguments))
    if origin is dict:
        values = of_type(arguments[1])
        return {"type": "object", **({"additionalProperties": values} if values else {})}
    if origin is list:
        return {"type": "array", "items": of_type(arguments[0])}
    if origin is tuple:
        items = [of_type(one) for one in arguments]
        return {
            "type": "array",
            "prefixItems": items,
            "minItems": len(items),
            "maxItems": len(items),
        }
    return {}


def documented(text: str) -> Iterator[tuple[str, Schema]]:
    """Names and schemas of the arguments that a docstring describes."""
    for name, said in _ARGUMENT.findall(text):
        kinds = said.replace("`", "").partition(", *optional*")[0].split(" or ")
        yield name, any_of(of_type(_DOCUMENTED.get(kind.strip(), Any)) for kind in kinds)


def any_of(schemas: Iterable[Schema]) -> Schema:
    """The schema of values that fit one of the schemas, as short as possible."""
    given = [
        flat for one in schemas for flat in (one["anyOf"] if list(one) == ["anyOf"] else [one])
    ]
    if {} in given:
        return {}
    plain: list[str] = []
    for names in (one["type"] for one in given if list(one) == ["type"]):
        plain += names if isinstance(names, list) else [names]
    values = [value for one in given if list(one) == ["enum"] for value in one["enum"]]
    rest = [one for one in given if list(one) not in (["type"], ["enum"])]
    if plain == ["null"] and values:
        plain, values = [], [*values, None]
    types = list(dict.fromkeys(plain))
    joined = [
        *([{"type": types[0] if len(types) == 1 else types}] if types else []),
        *([{"enum": values}] if values else []),
        *rest,
    ]
    return joined[0] if len(joined) == 1 else {"anyOf": joined}


def nullable(schema: Schema) -> Schema:
    """The schema, with null."""
    return any_of([schema, {"type": "null"}]) if schema else {}


def _literal(values: tuple[Any, ...]) -> Iterator[Schema]:
    for value in values:
        counted = _COUNTED.fullmatch(value) if isinstance(value, str) else None
        if counted:
            yield {"type": "string", "pattern": f"^{counted[1]}_[0-9]+$"}
        else:
            yield {"enum": [value]}
