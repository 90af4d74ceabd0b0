# Generated from description.json by codegen/generate.py: do not edit.
"""The API's `JobRecipient` document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cmlapi.models.base import ApiModel


@dataclass(repr=False, eq=False)
class JobRecipient(ApiModel):
    """The API's `JobRecipient` document."""

    email: str | None = None
    notify_on_success: bool | None = None
    notify_on_failure: bool | None = None
    notify_on_timeout: bool | None = None
    notify_on_stop: bool | None = None

    swagger_types: ClassVar[dict[str, str]] = {
        "email": "str",
        "notify_on_success": "bool",
        "notify_on_failure": "bool",
        "notify_on_timeout": "bool",
        "notify_on_stop": "bool",
    }
    openapi_types: ClassVar[dict[str, str]] = swagger_types
    attribute_map: ClassVar[dict[str, str]] = {
        "email": "email",
        "notify_on_success": "notify_on_success",
        "notify_on_failure": "notify_on_failure",
        "notify_on_timeout": "notify_on_timeout",
        "notify_on_stop": "notify_on_stop",
    }
