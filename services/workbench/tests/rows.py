"""Rows of many jobs and runs, inserted at once."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from services.workbench.store.tables import JobRunRow, Row


def run_row(**given: Any) -> JobRunRow:
    """A run of one GiB and no GPU, with these values."""
    return JobRunRow(
        **given,
        project_id="local",
        script="",
        arguments="",
        environment={},
        memory=1.0,
        nvidia_gpu=0,
        accelerator_label_id="",
        timeout=0,
        kill_on_timeout=True,
        kernel="",
        runtime_identifier="",
    )


def insert_rows(session: Session, rows: Iterable[Row]) -> None:
    """Inserts rows of one table."""
    [*found] = rows
    table: Any = type(found[0]).__table__
    names = [column.key for column in table.columns if column.key != "seq"]
    session.execute(insert(table), [{name: getattr(row, name) for name in names} for row in found])
