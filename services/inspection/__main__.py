"""Runs the inspection service: `python -m services.inspection`."""

from chassis.config import Settings
from chassis.domains import INSPECTION
from chassis.hub import Hub
from chassis.paths import ProjectPaths
from chassis.rpc import handlers
from chassis.server import Parts, run
from services.inspection.model_files import ModelFiles
from services.inspection.processes import Processes
from services.inspection.service import InspectionService
from services.inspection.servicer import InspectionServicer


def parts(settings: Settings) -> Parts:
    """The service, built from its parts."""
    paths, hub = ProjectPaths(settings), Hub(settings)
    files = ModelFiles(paths, hub)
    processes = Processes(settings)
    service = InspectionService(files, paths, hub, processes, settings.deadline_seconds)
    servicer = InspectionServicer(service)
    return Parts(
        service_names=[INSPECTION.full_name],
        handlers=lambda dispatcher: [handlers(INSPECTION, servicer, dispatcher)],
        started=lambda _: processes.clear(),
        close=[hub.close],
    )


def main() -> None:
    """Serves until told to stop."""
    settings = Settings.load("inspection")
    run(settings, parts(settings))


if __name__ == "__main__":
    main()
