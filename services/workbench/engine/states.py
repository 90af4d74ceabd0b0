"""The states of runs, builds and deployments, and changes from one to the next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from cmlapi import EngineStatus
from services.workbench.store.database import Database
from services.workbench.store.tables import JobRunRow, ModelBuildRow, ModelDeploymentRow

LAUNCHED = (EngineStatus.STARTING, EngineStatus.RUNNING, EngineStatus.STOPPING)
UNFINISHED = (EngineStatus.SCHEDULING, *LAUNCHED)

PENDING, BUILDING, BUILT, BUILD_FAILED = "pending", "building", "built", "build failed"
"""States of a build; a deployment is `pending` too until it is launched."""
DEPLOYING, DEPLOYED, STOPPING = "deploying", "deployed", "stopping"
STOPPED, FAILED = "stopped", "failed"
ACTIVE = (PENDING, DEPLOYING, DEPLOYED, STOPPING)
"""States of deployments that are not final."""

R = TypeVar("R", JobRunRow, ModelBuildRow, ModelDeploymentRow)
Value = str | int | datetime | list[str] | None


async def change(database: Database, row: R, **values: Value) -> bool:
    """Changes `row` if its status is still the one that was read; returns False otherwise."""
    table: type[Any] = type(row)

    def work(session: Session) -> bool:
        found = session.scalar(select(table).where(table.id == row.id))
        if found is None or found.status != row.status:
            return False
        for name, value in values.items():
            setattr(found, name, value)
        return True

    changed = await database.write(work)
    if changed:
        for name, value in values.items():
            setattr(row, name, value)
    return changed


def held_gpus(session: Session) -> Sequence[str]:
    """The GPUs of runs and deployments.

    A pending deployment has the GPUs of its last launch until no process of that launch is left.
    """
    runs = select(JobRunRow.gpus).where(JobRunRow.status.in_(LAUNCHED))
    deployments = select(ModelDeploymentRow.gpus).where(ModelDeploymentRow.status.in_(ACTIVE))
    held = [*session.scalars(runs), *session.scalars(deployments)]
    return [gpu for gpus in held for gpu in gpus]
