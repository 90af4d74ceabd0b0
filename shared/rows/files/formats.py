"""Formats of files of rows, by the type of the dataset and the file extension."""

from dataclasses import dataclass
from enum import StrEnum

from ft.data_files import ENDINGS, GZIP, PARQUET, fits, type_of
from ft.enums import DatasetType

WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
ARCHIVES = (".zip", ".tar", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".zst")


class FileKind(StrEnum):
    """Kind of a file's content."""

    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True)
class Format:
    """Kind and compression of a file."""

    kind: FileKind
    gzipped: bool = False

    def __str__(self) -> str:
        return f"{self.kind}{GZIP if self.gzipped else ''}"


_BY_TYPE = {
    DatasetType.PROJECT_CSV: FileKind.CSV,
    DatasetType.PROJECT_JSON: FileKind.JSON,
    DatasetType.PROJECT_JSONL: FileKind.JSONL,
}


def of(type: str, location: str) -> Format | None:
    """The format of a dataset's file; None if the dataset is not a single file.

    The type determines the kind of content, and the extension its variant. A dataset that was
    registered elsewhere may have a file with another extension.
    """
    name = location.lower()
    kind = _BY_TYPE.get(DatasetType(type))
    if kind is None:
        is_parquet = type == DatasetType.PROJECT and name.endswith(PARQUET)
        return Format(FileKind.PARQUET) if is_parquet else None
    gzipped = name.endswith(GZIP)
    tabs = kind is FileKind.CSV and name.removesuffix(GZIP).endswith(".tsv")
    return Format(FileKind.TSV if tabs else kind, gzipped)


def of_name(name: str) -> Format | None:
    """The format that a file's extension implies; None for any other extension."""
    if name.lower().endswith(PARQUET):
        return Format(FileKind.PARQUET)
    found = (kind for kind in ENDINGS if fits(kind, name))
    return next((of(kind, name) for kind in found), None)


def advice(location: str) -> str:
    """Advice for a file of an unsupported format; empty for other files."""
    name = location.lower()
    if name.endswith(WORKBOOKS):
        return (
            "a workbook is not read: save its sheet as CSV (in Excel: File, Save As, "
            '"CSV UTF-8"; in LibreOffice: File, Save As, Text CSV, character set UTF-8)'
        )
    if name.endswith(ARCHIVES):
        return (
            "an archive is not read: unpack it, and register the file in it (.csv, .tsv, .json or "
            ".jsonl, each also as .gz; a workbook is to be saved as CSV first)"
        )
    return ""


def wanted(type: DatasetType, location: str) -> str:
    """Message for a name that does not fit the type; it names the type that fits."""
    endings = " or ".join(ENDINGS[type])
    other = type_of(location)
    if location.lower().endswith(PARQUET) or other is not DatasetType.PROJECT:
        return f"{location!r} must end in {endings}, or be of type {other}"
    return f"{location!r} must end in {endings} (optionally followed by {GZIP})"
