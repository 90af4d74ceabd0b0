# Generated from description.json by codegen/generate.py: do not edit.
"""Values of `Visibility`."""

from __future__ import annotations

from cmlapi.models.base import ApiEnum


class Visibility(ApiEnum):
    """Values of `Visibility`, which travel as plain strings."""

    PRIVATE = "PRIVATE"
    PUBLIC = "PUBLIC"
