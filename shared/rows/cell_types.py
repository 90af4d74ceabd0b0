"""Column types with which `datasets` returns values as they are in a file."""

import warnings
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyarrow
from datasets import Dataset, DatasetInfo, Features, Value
from datasets.features.features import register_feature

from rows import values


@dataclass
class JsonCell:
    """A column of values of any type, each stored as JSON; null where there is none."""

    id: str | None = field(default=None, repr=False)
    pa_type: ClassVar[Any] = pyarrow.large_string()
    _type: str = field(default="JsonCell", init=False, repr=False)

    def __call__(self) -> Any:
        """The Arrow type of the column."""
        return self.pa_type

    def encode_example(self, value: Any) -> str | None:
        """Encodes a value for storage."""
        return None if value is None else values.to_json(value)

    def decode_example(self, kept: str, token_per_repo_id: object = None) -> values.Value:  # noqa: ARG002
        """Decodes a stored value. The second argument is the library's."""
        return values.from_json(kept)


TEXT = Value("large_string")
"""The type of a column of texts."""
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # The library calls the function experimental.
    register_feature(JsonCell, "JsonCell")


def dataset_of(column: str, kept: list[Any]) -> Dataset:
    """A dataset with one column of values, unchanged: objects get no keys that they lack."""
    cell = JsonCell()
    table = pyarrow.table({column: pyarrow.array(map(cell.encode_example, kept), cell.pa_type)})
    return Dataset(table, DatasetInfo(features=Features({column: cell})))
