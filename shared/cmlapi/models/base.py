"""What every model of the API has in common."""

from __future__ import annotations

import pprint
from typing import Any, ClassVar


class ApiModel:
    """A document of the API; attributes that are not set are None."""

    swagger_types: ClassVar[dict[str, str]]
    """Type of each attribute, in the API description's words."""

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as plain dictionaries and lists, unset ones included."""
        return {name: _plain(getattr(self, name)) for name in self.swagger_types}

    def to_str(self) -> str:
        """Return `to_dict` printed for reading."""
        return pprint.pformat(self.to_dict())

    def __repr__(self) -> str:
        return self.to_str()


def _plain(value: Any) -> Any:
    if isinstance(value, ApiModel):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
