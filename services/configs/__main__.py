"""Runs the configs service: `python -m services.configs`."""

from pathlib import Path

from chassis.config import Settings
from chassis.domain_service import DomainParts, domain_service
from chassis.store.engine import Store
from services.configs.peers import ConfigPeers
from services.configs.service import ConfigService
from services.configs.servicer import ConfigsServicer
from services.configs.store import Config, ConfigStore


def build(settings: Settings, store: Store) -> DomainParts:
    """The parts that only this domain has."""
    configs, peers = ConfigStore(store), ConfigPeers(settings)
    servicer = ConfigsServicer(ConfigService(configs, peers), configs)
    return DomainParts(servicer, [Config], close=[peers.close])


service = domain_service("configs", Path(__file__).parent, build)

if __name__ == "__main__":
    service.run()
