"""The parts that runs and deployments share."""

from dataclasses import dataclass

from services.workbench.engine.launch import Launcher
from services.workbench.engine.process_ends import ProcessEnds
from services.workbench.host.machine import Machine
from services.workbench.settings import WorkbenchSettings
from services.workbench.store.database import Database


@dataclass(frozen=True)
class EngineContext:
    """The same for runs and deployments, so that they share one machine."""

    database: Database
    settings: WorkbenchSettings
    machine: Machine
    launcher: Launcher
    ends: ProcessEnds
