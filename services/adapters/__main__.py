"""Runs the adapters service: `python -m services.adapters`."""

from pathlib import Path

from chassis.config import Settings
from chassis.domain_service import DomainParts, domain_service
from chassis.paths import ProjectPaths
from chassis.store.engine import Store
from services.adapters.hub import HubAdapters
from services.adapters.peers import AdapterPeers
from services.adapters.service import AdapterService
from services.adapters.servicer import AdaptersServicer
from services.adapters.store import Adapter, AdapterStore


def build(settings: Settings, store: Store) -> DomainParts:
    """The parts that only this domain has."""
    adapters, peers, hub = AdapterStore(store), AdapterPeers(settings), HubAdapters(settings)
    rules = AdapterService(adapters, ProjectPaths(settings), peers, hub)
    servicer = AdaptersServicer(rules, adapters)
    return DomainParts(servicer, [Adapter], close=[peers.close, hub.close])


service = domain_service("adapters", Path(__file__).parent, build)

if __name__ == "__main__":
    service.run()
