"""Runs the datasets service: `python -m services.datasets`."""

from pathlib import Path

from chassis.config import Settings
from chassis.domains import DOMAINS, TABLES
from chassis.paths import ProjectPaths
from chassis.repeats import Forgetting
from chassis.rpc import handlers
from chassis.server import Parts, run
from chassis.store import Store
from chassis.tables import TablesServicer
from services.datasets.hub import HubDatasets
from services.datasets.peers import Prompts
from services.datasets.service import DatasetService
from services.datasets.servicer import DatasetsServicer
from services.datasets.store import Dataset, DatasetStore


def parts(settings: Settings) -> Parts:
    """The service, built from its parts."""
    store = Store(settings.service, settings.store_url, Path(__file__).parent / "migrations")
    datasets = DatasetStore(store)
    prompts = Prompts(settings)
    hub = HubDatasets(settings)
    service = DatasetService(datasets, ProjectPaths(settings), hub, prompts)
    servicer = DatasetsServicer(service, datasets)
    tables = TablesServicer(settings, store, Dataset)
    forgetting = Forgetting(store, settings.repeat_days)
    return Parts(
        service_names=[DOMAINS["datasets"].full_name],
        handlers=lambda dispatcher: [
            handlers(DOMAINS["datasets"], servicer, dispatcher),
            handlers(TABLES, tables, dispatcher),
        ],
        store=store,
        background=[tables.run, forgetting.run, service.forget_rows],
        close=[prompts.close, hub.close, tables.close],
    )


def main() -> None:
    """Serves until told to stop."""
    settings = Settings.load("datasets")
    run(settings, parts(settings))


if __name__ == "__main__":
    main()
