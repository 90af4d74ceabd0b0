"""No secret reaches a log."""

import json
import subprocess
import sys

import pytest

from chassis.logs import MASK, mask_secrets

SCRIPT = """
import logging, structlog
from chassis import logs
from chassis.config import Settings
settings = Settings.load("test")
logs.configure(settings)
log = structlog.get_logger()
log.info("settings", settings=settings, api_key="k-1", url="postgresql://me:pw@host/db")
logging.getLogger("library").warning("sent Bearer %s", "b-1")
try:
    raise ValueError("token hf_abcdefghijkl is refused")
except ValueError as error:
    log.error("failed", exc_info=error)
"""


def test_masks_secrets_wherever_they_come_from() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"HUGGINGFACE_ACCESS_TOKEN": "hf_abcdefghijkl", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    for secret in ("hf_abcdefghijkl", "k-1", "me:pw", "b-1"):
        assert secret not in ran.stderr
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [line["event"].split(" ")[0] for line in lines] == ["settings", "sent", "failed"]
    assert "ValueError" in lines[2]["exception"]


@pytest.mark.parametrize("key", ["token", "hub_token", "password", "authorization", "apiv2_key"])
def test_masks_by_name(key: str) -> None:
    assert mask_secrets(None, "info", {key: "anything"}) == {key: MASK}


def test_leaves_the_rest_as_it_is() -> None:
    event = {"event": "listening", "address": "127.0.0.1:50051", "count": 3}
    assert mask_secrets(None, "info", dict(event)) == event
