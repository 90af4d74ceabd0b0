"""Rows of a Parquet file, whose columns have types."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rows.errors import DataError, first_line
from rows.values import NumberLiteral

_BATCH_ROWS = 500
_NO_FRACTION = re.compile(r"\.0+(?![0-9])")
_Make = Callable[[Any], Any]


class ParquetRows:
    """The rows of a Parquet file as values that JSON has."""

    def __init__(self, path: Path, notices: list[str]) -> None:
        """Raises DataError if it is not a Parquet file, or if a column has an unsupported type."""
        from pyarrow import ArrowException, parquet

        try:
            self._file = parquet.ParquetFile(path)
        except (ArrowException, OSError) as error:
            raise DataError(f"not a Parquet file: {first_line(error)}") from error
        schema = self._file.schema_arrow
        self.columns: list[str] = list(schema.names)
        self._make = [_maker(field.type, field.name, notices) for field in schema]

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        from pyarrow import ArrowException

        number = 0
        try:
            for batch in self._file.iter_batches(_BATCH_ROWS):
                for cells in zip(*(column for column in batch.columns), strict=True):
                    number += 1
                    row = {}
                    for name, make, cell in zip(self.columns, self._make, cells, strict=True):
                        try:
                            row[name] = make(cell)
                        except DataError as error:
                            raise DataError(f"row {number}, column {name}: {error}") from error
                    yield number, row
        except (ArrowException, OSError) as error:
            raise DataError(f"row {number + 1}: {first_line(error)}") from error


def _maker(type: Any, name: str, notices: list[str]) -> _Make:
    """Function that converts a scalar of that type to a value; null becomes None."""
    make = _maker_of_present(type, name, notices)
    return lambda scalar: make(scalar) if scalar.is_valid else None


def _maker_of_present(type: Any, name: str, notices: list[str]) -> _Make:
    """Function that converts a scalar of that type which is not null."""
    from pyarrow import types

    if types.is_dictionary(type):
        inner = _maker(type.value_type, name, notices)
        return lambda scalar: inner(scalar.dictionary[scalar.index.as_py()])
    if types.is_list(type) or types.is_large_list(type) or types.is_fixed_size_list(type):
        inner = _maker(type.value_type, name, notices)
        return lambda scalar: [inner(one) for one in scalar.values]
    if types.is_struct(type):
        fields = [(one.name, _maker(one.type, f"{name}.{one.name}", notices)) for one in type]
        return lambda scalar: {key: make(scalar[key]) for key, make in fields}
    if types.is_null(type) or types.is_boolean(type) or types.is_integer(type):
        return _plain
    if types.is_string(type) or types.is_large_string(type) or types.is_string_view(type):
        return _plain
    if types.is_floating(type):
        return _float
    if types.is_decimal(type):
        return lambda scalar: NumberLiteral(format(scalar.as_py(), "f"))
    if types.is_temporal(type) and not types.is_duration(type) and not types.is_interval(type):
        notices.append(f"Column {name} has values of the type {type}; they are written as {_ISO}.")
        return _time
    raise DataError(
        f"column {name} has the type {type}, which is neither a text nor a number: convert it to "
        "text, or remove the column"
    )


_ISO = "texts such as 2024-01-05 or 2024-01-05T13:30:00"


def _plain(scalar: Any) -> Any:
    return scalar.as_py()


def _float(scalar: Any) -> NumberLiteral:
    value = scalar.as_py()
    text = repr(value)
    if not text.strip("-")[0].isdigit():
        raise DataError(f"{text} is not a JSON number: write null instead")
    # A number of 32 bits has fewer digits than its 64 bits would show.
    return NumberLiteral(str(scalar.cast("string")) if str(scalar.type) != "double" else text)


def _time(scalar: Any) -> str:
    text: str = scalar.cast("string").as_py()
    return _NO_FRACTION.sub("", text).replace(" ", "T")
