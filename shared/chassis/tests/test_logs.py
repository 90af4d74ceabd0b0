"""No secret reaches a log."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chassis.rpc.logs import MASK, mask_secrets

SCRIPT = """
import logging, structlog
from chassis.rpc import logs
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


@pytest.mark.starts_processes
def test_secrets_are_masked_wherever_they_come_from() -> None:
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


CALL = """
import contextvars, logging, structlog
from chassis.rpc import context, logs
from chassis.config import Settings
logs.configure(Settings.load("test"))
log = structlog.get_logger()
def serve():
    context.incoming(((context.REQUEST_ID, "r-1"), (context.CALLER, "alice")), 5, 30)
    log.info("in the call")
    logging.getLogger("library").warning("in the call")
    log.info("of its own", request_id="r-2")
contextvars.copy_context().run(serve)
log.info("outside")
"""


@pytest.mark.starts_processes
def test_log_event_names_the_call_that_it_belongs_to() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CALL],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    events = [json.loads(line) for line in ran.stderr.splitlines()]
    named = [(event.get("request_id"), event.get("caller")) for event in events]
    assert named == [("r-1", "alice"), ("r-1", "alice"), ("r-2", "alice"), (None, None)]
    assert {event["service"] for event in events} == {"test"}


HOSTILE = """
import logging, os, structlog
from chassis.rpc import logs
from chassis.config import Settings
logs.configure(Settings.load("test"))
log = structlog.get_logger()
text = "a\\n{}\\r\\x1b[2J\\x9b\\x85\\u2028\\u202e\\udcff\\x00 Gr\\xf6\\xdfe"
for _ in range(3):
    log.info(text, name=text, value={"deep": [text]})
    logging.getLogger("library").warning("about %s", text)
os.write(1, b"it goes on")
"""


@pytest.mark.starts_processes
@pytest.mark.parametrize("format", ["json", "console"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_log_event_is_a_line_without_control_characters(format: str, encoding: str) -> None:
    ran = _logging(HOSTILE, FTS_LOG_FORMAT=format, PYTHONIOENCODING=encoding)
    lines = ran.stderr.decode(encoding).split("\n")
    assert lines.pop() == ""
    assert len(lines) == 6
    assert all(line.isprintable() for line in lines)
    if format == "json":
        assert all("\x1b[2J" in json.loads(line)["event"] for line in lines)


@pytest.mark.starts_processes
def test_full_disk_under_the_log_stops_nothing() -> None:
    with Path("/dev/full").open("wb") as full:
        ran = _logging(HOSTILE, stderr=full)
    assert ran.stdout == b"it goes on"


def _logging(script: str, stderr: Any = subprocess.PIPE, **environment: str) -> Any:
    return subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(sys.path), **environment},
        stdout=subprocess.PIPE,
        stderr=stderr,
        timeout=300,
    )


@pytest.mark.parametrize("key", ["token", "hub_token", "password", "authorization", "apiv2_key"])
def test_values_are_masked_by_name(key: str) -> None:
    assert mask_secrets(None, "info", {key: "anything"}) == {key: MASK}


def test_other_values_are_not_masked() -> None:
    event = {"event": "listening", "address": "127.0.0.1:50051", "count": 3}
    assert mask_secrets(None, "info", dict(event)) == event
