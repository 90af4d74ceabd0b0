"""Runs the datasets service: `python -m services.datasets`."""

from pathlib import Path

from chassis.config import Settings
from chassis.domain_service import DomainParts, domain_service
from chassis.paths import ProjectPaths
from chassis.store.engine import Store
from services.datasets.hub import HubDatasets
from services.datasets.peers import DatasetPeers
from services.datasets.service import DatasetService
from services.datasets.servicer import DatasetsServicer
from services.datasets.store import Dataset, DatasetStore


def build(settings: Settings, store: Store) -> DomainParts:
    """The parts that only this domain has."""
    datasets, peers, hub = DatasetStore(store), DatasetPeers(settings), HubDatasets(settings)
    rules = DatasetService(datasets, ProjectPaths(settings), hub, peers)
    return DomainParts(
        DatasetsServicer(rules, datasets),
        [Dataset],
        background=[rules.forget_rows],
        close=[peers.close, hub.close],
    )


service = domain_service("datasets", Path(__file__).parent, build)

if __name__ == "__main__":
    service.run()
