"""Runs the models service: `python -m services.models`."""

from pathlib import Path

from chassis.config import Settings
from chassis.domains import DOMAINS, TABLES
from chassis.paths import ProjectPaths
from chassis.rpc import handlers
from chassis.server import Parts, run
from chassis.store import Store
from chassis.tables import TablesServicer
from jobs.workspace import Workspace
from services.models.export import ModelExport
from services.models.hub import HubModels
from services.models.peers import Adapters
from services.models.service import ModelService
from services.models.servicer import ModelsServicer
from services.models.store import Model, ModelStore


def parts(settings: Settings) -> Parts:
    """The service, built from its parts."""
    store = Store(settings.service, settings.store_url, Path(__file__).parent / "migrations")
    models = ModelStore(store)
    workspace = Workspace(settings.workspace_request_seconds)
    hub = HubModels(settings)
    service = ModelService(models, ProjectPaths(settings), hub, workspace)
    adapters = Adapters(settings)
    servicer = ModelsServicer(service, ModelExport(service, adapters, workspace), models)
    tables = TablesServicer(settings, store, Model)
    return Parts(
        service_names=[DOMAINS["models"].full_name],
        handlers=lambda dispatcher: [
            handlers(DOMAINS["models"], servicer, dispatcher),
            handlers(TABLES, tables, dispatcher),
        ],
        store=store,
        background=[tables.run],
        close=[adapters.close, hub.close, tables.close],
    )


def main() -> None:
    """Serves until told to stop."""
    settings = Settings.load("models")
    run(settings, parts(settings))


if __name__ == "__main__":
    main()
