"""Reads the table of results that an evaluation job leaves in its folder, some rows at a time."""

import csv
import io
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from chassis.rpc.errors import FailedPrecondition, InvalidArgument
from ft.job_protocol.evaluation_table import EXPECTED, FEATURE_SUFFIX, INPUT, OUTPUT
from ft.proto.fine_tuning_studio_jobs_pb2 import EvaluationRow, StreamEvaluationRowsResponse
from jobs.execution.job_folder import open_regular
from jobs.rules import OFFSET
from services.evaluation import rules

MESSAGE_BYTES = 65_536
ROW_CHARACTERS = 1_000_000
_TEXTS = {INPUT: "input", EXPECTED: "expected", OUTPUT: "output"}


def answers(file: Path, offset: int) -> Iterator[StreamEvaluationRowsResponse]:
    """The rows from `offset` on. No more than one answer is in memory, however long the table is.

    Raises InvalidArgument for a negative offset, FailedPrecondition if there is no such table.
    """
    if offset < 0:
        raise InvalidArgument.at("offset", OFFSET, f"must not be negative, not {offset}")
    answer, size = StreamEvaluationRowsResponse(), 0
    for row in _rows(file):
        if row.number < offset:
            continue
        if size and size + row.ByteSize() > MESSAGE_BYTES:
            yield answer
            answer, size = StreamEvaluationRowsResponse(), 0
        answer.rows.append(row)
        size += row.ByteSize()
    if size:
        yield answer


def _rows(file: Path) -> Iterator[EvaluationRow]:
    csv.field_size_limit(ROW_CHARACTERS)
    try:
        with open_regular(file) as opened:
            text = io.TextIOWrapper(opened, encoding="utf-8", errors="replace", newline="")
            for number, values in enumerate(_records(text)):
                yield _row(number, values)
    except OSError:
        raise _refused("has no table of results") from None
    except csv.Error as error:
        raise _refused(f"has a table of results that cannot be read: {error}") from None


def _records(text: io.TextIOWrapper) -> Iterator[dict[str, str]]:
    lines = _RowLines(text)
    reader = csv.reader(lines)
    header = next(reader, [])
    missing = [name for name in _TEXTS if name not in header]
    if missing:
        raise csv.Error(f"it has no column {', '.join(missing)}")
    lines.taken = 0
    for values in reader:
        # One that is being written may end within a row.
        yield dict(zip(header, values, strict=False))
        lines.taken = 0


class _RowLines:
    """Lines of a file; raises csv.Error for a row that is too long."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.taken = 0
        """Characters since the last row."""

    def __iter__(self) -> "_RowLines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(ROW_CHARACTERS + 1)
        self.taken += len(line)
        if self.taken > ROW_CHARACTERS:
            raise csv.Error(f"a row has more than {ROW_CHARACTERS} characters")
        if not line:
            raise StopIteration
        return line


def _row(number: int, values: Mapping[str, str]) -> EvaluationRow:
    row = EvaluationRow(number=number)
    for name, value in values.items():
        if name in _TEXTS:
            setattr(row, _TEXTS[name], value)
        elif name.endswith(FEATURE_SUFFIX):
            row.features[name.removesuffix(FEATURE_SUFFIX)] = value
        else:
            with suppress(ValueError):  # A column that is no score.
                score = float(value)
                if math.isfinite(score):
                    row.scores[name] = score
    return row


def _refused(description: str) -> FailedPrecondition:
    return FailedPrecondition.at("job_id", rules.RESULTS, description)
