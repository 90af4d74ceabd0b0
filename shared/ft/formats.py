"""Dataset formats for a user interface: the shipped `axolotl_dataset_formats`."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["DatasetFormatInfo", "DatasetFormatsCollection"]


@dataclass
class DatasetFormatInfo:
    """One dataset format. `format` maps each column that it needs to what the column holds."""

    name: str
    description: str
    format: dict[str, Any]


@dataclass
class DatasetFormatsCollection:
    """Dataset formats by name."""

    dataset_formats: dict[str, DatasetFormatInfo] = field(default_factory=dict)
