"""Accelerator labels: the numbers by which jobs and models request a kind of GPU.

A kind keeps its number permanently, even while the machine has no such GPU.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis.rpc import errors
from services.workbench.host.machine import Machine
from services.workbench.store.tables import AcceleratorRow, JobRow, JobRunRow, ModelRow, utc_now

NO_LABEL = ("", "0", "-1")
"""Values that mean no label. The first is stored, the last is shown: clients read a number."""
SHOWN_NONE = "-1"
_KEY = "nvidia.com/gpu.product"


def seed(session: Session, machine: Machine) -> dict[str, str]:
    """Updates the table to the present machine; returns the kind of each label by its id.

    Older workbenches used words as ids. Their labels get numbers, and so do the jobs and models
    that refer to them.
    """
    rows = list(session.scalars(select(AcceleratorRow).order_by(AcceleratorRow.label_value)))
    numbers = [int(row.id) for row in rows if row.id.isdecimal()]
    for row in rows:
        if not row.id.isdecimal():
            row.id = str(_next(numbers))
        row.availability = False
        row.max_gpu_count = row.max_gpu_per_workload = 0
        row.updated_at = utc_now()
    labels = {row.label_value: row for row in rows}
    for kind in sorted({gpu.kind for gpu in machine.gpus}):
        count = sum(gpu.kind == kind for gpu in machine.gpus)
        row = labels.get(kind) or AcceleratorRow(
            id=str(_next(numbers)),
            label_key=_KEY,
            label_value=kind,
            availability=True,
            max_gpu_count=count,
            max_gpu_per_workload=count,
        )
        row.availability, row.max_gpu_count, row.max_gpu_per_workload = True, count, count
        session.add(row)
        labels[kind] = row
    session.flush()
    for row in labels.values():
        # What asked for the kind by the id of an older workbench, or by its name.
        for table in (JobRow, JobRunRow, ModelRow):
            asked = table.accelerator_label_id.in_([row.label_value, _word(row.label_value)])
            session.execute(update(table).where(asked).values(accelerator_label_id=row.id))
    return {row.id: row.label_value for row in labels.values()}


def _next(numbers: list[int]) -> int:
    numbers.append(max(numbers, default=0) + 1)
    return numbers[-1]


def asked_for(session: Session, given: str | int, kept: str = "") -> str:
    """Returns the id of the label that `given` requests by number or by name; "" for none.

    `kept` is a label of an earlier request, which is accepted unchanged. Raises InvalidArgument
    naming an unknown label and the known ones.
    """
    text = str(given).strip()
    if text in NO_LABEL:
        return ""
    if text == kept:
        return kept
    rows = session.scalars(select(AcceleratorRow).order_by(AcceleratorRow.seq)).all()
    for row in rows:
        if row.availability and text in (row.id, row.label_value, _word(row.label_value)):
            return row.id
    there = ", ".join(f"{row.id} ({row.label_value})" for row in rows if row.availability)
    raise errors.InvalidArgument(
        f"accelerator_label_id: accelerator label {text!r} does not exist; existing labels: "
        f"{there or 'none'}; use -1 for no label"
    )


def _word(kind: str) -> str:
    """Returns the id that older workbenches gave to the label of that kind."""
    return kind.lower().replace(" ", "-")
