"""Runs the inspection service: `python -m services.inspection`."""

from chassis.config import Settings
from chassis.domains import INSPECTION
from chassis.hub.questions import Hub
from chassis.paths import ProjectPaths
from chassis.rpc.dispatch import handlers
from chassis.rpc.server import ServiceParts
from chassis.service import Service
from services.inspection.model_files import ModelFiles
from services.inspection.processes import InspectionProcesses
from services.inspection.service import InspectionService
from services.inspection.servicer import InspectionServicer


def parts(settings: Settings) -> ServiceParts:
    """The service, built from its parts."""
    paths, hub = ProjectPaths(settings), Hub(settings)
    files = ModelFiles(paths, hub)
    processes = InspectionProcesses(settings)
    inspections = InspectionService(files, paths, hub, processes, settings.deadline_seconds)
    return ServiceParts(
        service_names=[INSPECTION.full_name],
        handlers=lambda dispatcher: [
            handlers(INSPECTION, InspectionServicer(inspections), dispatcher)
        ],
        started=lambda _: processes.clear(),
        close=[hub.close],
    )


service = Service("inspection", parts)

if __name__ == "__main__":
    service.run()
