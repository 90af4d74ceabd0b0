"""The processes of the studio are listed in several places, which agree."""

from pathlib import Path

import yaml

from chassis.domains import DOMAIN_SERVICES
from ft.local import layout
from ft.proto import domains_pb2

REPOSITORY = Path(__file__).parents[2]


def test_every_service_in_the_contract_of_the_domains_is_one_of_theirs() -> None:
    declared = domains_pb2.DESCRIPTOR.services_by_name.values()
    assert list(DOMAIN_SERVICES.values()) == list(declared)


def test_every_service_is_started_on_one_machine_and_on_compose() -> None:
    services = {file.parent.name for file in REPOSITORY.glob("services/*/pyproject.toml")}
    assert set(layout.ALL_PROCESSES) == services
    assert set(yaml.safe_load((REPOSITORY / "compose.yaml").read_text())["services"]) == services
