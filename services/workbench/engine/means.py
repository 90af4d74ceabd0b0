"""What runs and deployments are looked after with."""

from dataclasses import dataclass

from services.workbench.database import Database
from services.workbench.engine.launch import Launcher
from services.workbench.machine import Machine
from services.workbench.settings import WorkbenchSettings


@dataclass(frozen=True)
class Means:
    """The same for both, so that they share one machine."""

    database: Database
    settings: WorkbenchSettings
    machine: Machine
    launcher: Launcher
