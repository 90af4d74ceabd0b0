"""Models of the API: what all of them have."""

from __future__ import annotations

import pprint
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(repr=False, eq=False)
class ApiModel:
    """A document of the API; attributes that are not set are None."""

    swagger_types: ClassVar[dict[str, str]] = {}
    """Type of each attribute, in the words of the client's generator."""
    openapi_types: ClassVar[dict[str, str]] = {}
    """The same, as a later generator calls it."""
    attribute_map: ClassVar[dict[str, str]] = {}
    """JSON name of each attribute."""
    discriminator: ClassVar[str | None] = None
    """Attribute that says which class of several a document is of: the API has no such choice."""

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as plain dictionaries and lists, unset ones included."""
        return {name: _plain(getattr(self, name)) for name in self.swagger_types}

    def to_str(self) -> str:
        """Return `to_dict` printed for reading."""
        return pprint.pformat(self.to_dict())

    def __repr__(self) -> str:
        return self.to_str()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment] # it can be changed


class ApiEnum(ApiModel):
    """Values of a field as constants; they travel, and stand in models, as plain strings."""


def _plain(value: Any) -> Any:
    if isinstance(value, ApiModel):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
