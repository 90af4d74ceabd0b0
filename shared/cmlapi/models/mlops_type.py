# Generated from description.json by codegen/generate.py: do not edit.
"""Values of `MLOPSType`."""

from __future__ import annotations

from cmlapi.models.base import ApiEnum


class MLOPSType(ApiEnum):
    """Values of `MLOPSType`, which travel as plain strings."""

    MLFLOW = "MLFLOW"
    SIMPLE = "SIMPLE"
