"""Names of files that are datasets."""

from ft.enums import DatasetType

__all__ = ["ENDINGS", "GZIP", "PARQUET", "fits", "type_of"]

GZIP = ".gz"
ENDINGS = {
    DatasetType.PROJECT_CSV: (".csv", ".tsv"),
    DatasetType.PROJECT_JSON: (".json",),
    DatasetType.PROJECT_JSONL: (".jsonl",),
}
"""Endings of a dataset that is one file, in letters of any case; each also with `.gz` behind it."""
PARQUET = ".parquet"
"""Ending of a file that is a dataset of the type `project`."""


def fits(type: DatasetType, location: str) -> bool:
    """Tells whether the name has an ending of that type."""
    return location.lower().removesuffix(GZIP).endswith(ENDINGS[type])


def type_of(location: str) -> DatasetType:
    """The type that a file's name tells; anything else is of the type `project`."""
    return next((kind for kind in ENDINGS if fits(kind, location)), DatasetType.PROJECT)
