"""The parts of the running workbench, as operations get them."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.workbench.engine.runs import JobRuns
from services.workbench.host.runtime import Runtime, TrainerCheck
from services.workbench.scheduler import Scheduler
from services.workbench.serving.deployments import Deployments
from services.workbench.settings import WorkbenchSettings
from services.workbench.store.database import Database


@dataclass(frozen=True)
class WorkbenchContext:
    """The parts of the running workbench."""

    settings: WorkbenchSettings
    database: Database
    runtime: Runtime
    trainer: TrainerCheck
    runs: JobRuns
    deployments: Deployments
    scheduler: Scheduler


def current(request: Request) -> WorkbenchContext:
    """The context of the application that has received the request."""
    context: WorkbenchContext = request.app.state.workbench
    return context


Bench = Annotated[WorkbenchContext, Depends(current)]
