"""Runs the prompts service: `python -m services.prompts`."""

from pathlib import Path

from chassis.config import Settings
from chassis.domain_service import DomainParts, domain_service
from chassis.store.engine import Store
from services.prompts.peers import PromptPeers
from services.prompts.service import PromptService
from services.prompts.servicer import PromptsServicer
from services.prompts.store import Prompt, PromptStore


def build(settings: Settings, store: Store) -> DomainParts:
    """The parts that only this domain has."""
    prompts, peers = PromptStore(store), PromptPeers(settings)
    servicer = PromptsServicer(PromptService(prompts, peers), prompts)
    return DomainParts(servicer, [Prompt], close=[peers.close])


service = domain_service("prompts", Path(__file__).parent, build)

if __name__ == "__main__":
    service.run()
