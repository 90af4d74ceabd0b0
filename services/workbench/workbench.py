"""What the operations work on."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.rpc import errors
from services.workbench.database import Database
from services.workbench.engine.engine import Engine
from services.workbench.runtime import Runtime, TrainerCheck
from services.workbench.serving.deployments import Deployments
from services.workbench.settings import WorkbenchSettings
from services.workbench.tables import ProjectRow


@dataclass(frozen=True)
class Workbench:
    """The running workbench."""

    settings: WorkbenchSettings
    database: Database
    runtime: Runtime
    trainer: TrainerCheck
    engine: Engine
    deployments: Deployments


def _current(request: Request) -> Workbench:
    workbench: Workbench = request.app.state.workbench
    return workbench


Bench = Annotated[Workbench, Depends(_current)]


def get_project_row(session: Session, project_id: str) -> ProjectRow:
    """The project of that id; raises NotFound."""
    row = session.scalar(select(ProjectRow).where(ProjectRow.id == project_id))
    if row is None:
        raise errors.NotFound(f"project {project_id!r} does not exist")
    return row
