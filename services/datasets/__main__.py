"""Runs the datasets service: `python -m services.datasets`."""

from pathlib import Path

from chassis.config import Settings
from chassis.paths import ProjectPaths
from chassis.service import DomainParts, domain_service
from chassis.store.engine import Store
from services.datasets.hub import HubDatasets
from services.datasets.peers import Prompts
from services.datasets.service import DatasetService
from services.datasets.servicer import DatasetsServicer
from services.datasets.store import Dataset, DatasetStore


def build(settings: Settings, store: Store) -> DomainParts:
    """The parts that only this domain has."""
    datasets, prompts, hub = DatasetStore(store), Prompts(settings), HubDatasets(settings)
    rules = DatasetService(datasets, ProjectPaths(settings), hub, prompts)
    return DomainParts(
        DatasetsServicer(rules, datasets),
        [Dataset],
        background=[rules.forget_rows],
        close=[prompts.close, hub.close],
    )


service = domain_service("datasets", Path(__file__).parent, build)

if __name__ == "__main__":
    service.run()
