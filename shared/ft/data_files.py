"""Names of files that are datasets."""

from ft.enums import DatasetType

__all__ = ["ENDINGS", "GZIP", "PARQUET", "fits", "type_of"]

GZIP = ".gz"
ENDINGS = {
    DatasetType.PROJECT_CSV: (".csv", ".tsv"),
    DatasetType.PROJECT_JSON: (".json",),
    DatasetType.PROJECT_JSONL: (".jsonl",),
}
"""Endings of a dataset that is one file, in any case; each may be followed by `.gz`."""
PARQUET = ".parquet"
"""Ending of a file that is a dataset of the type `project`."""


def fits(type: DatasetType, location: str) -> bool:
    """True if the name has an ending of that type."""
    return location.lower().removesuffix(GZIP).endswith(ENDINGS[type])


def type_of(location: str) -> DatasetType:
    """The type of a dataset by its file name; `project` for names without a known ending."""
    return next((kind for kind in ENDINGS if fits(kind, location)), DatasetType.PROJECT)
