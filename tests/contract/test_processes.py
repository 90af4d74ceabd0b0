"""The processes of the studio are listed in several places, which agree."""

from pathlib import Path

import yaml

from chassis.domains import DOMAIN_SERVICES
from ft.local import layout
from ft.proto import domains_pb2

REPOSITORY = Path(__file__).parents[2]


def test_contract_services_all_belong_to_a_domain() -> None:
    declared = domains_pb2.DESCRIPTOR.services_by_name.values()
    assert list(DOMAIN_SERVICES.values()) == list(declared)


def test_services_all_start_locally_and_in_compose() -> None:
    services = {file.parent.name for file in REPOSITORY.glob("services/*/pyproject.toml")}
    assert set(layout.ALL_PROCESSES) == services
    assert set(yaml.safe_load((REPOSITORY / "compose.yaml").read_text())["services"]) == services
