"""The processes of the studio are listed in several places, which agree."""

from pathlib import Path

import yaml

from chassis.domains import DOMAINS
from ft import health
from ft.local import layout

REPOSITORY = Path(__file__).parents[2]


def test_the_client_and_the_services_know_the_same_domains() -> None:
    assert tuple(DOMAINS) == health.DOMAINS


def test_every_service_is_started_on_one_machine_and_on_compose() -> None:
    services = {file.parent.name for file in REPOSITORY.glob("services/*/pyproject.toml")}
    assert set(layout.ALL_PROCESSES) == services
    assert set(yaml.safe_load((REPOSITORY / "compose.yaml").read_text())["services"]) == services
