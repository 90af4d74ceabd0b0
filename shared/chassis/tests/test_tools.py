"""The tools that are run with `python -m`, with output that cannot be printed."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

pytestmark = pytest.mark.starts_processes

TOOLS = ("chassis.probe", "chassis.reflect")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    reflection.enable_server_reflection([reflection.SERVICE_NAME, "a\x1b[2J\u202eö"], server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0)


def _run(tool: str, address: str, redirected: str) -> subprocess.CompletedProcess[bytes]:
    command = f"{shlex.quote(sys.executable)} -m {tool} {address} {redirected}"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii:strict"}
    return subprocess.run(
        ["/bin/bash", "-c", command], env=environment, capture_output=True, timeout=60
    )


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("redirected", ["", "2>&-", "2> /dev/full", "<&-"])
def test_output_works_with_any_encoding(address: str, tool: str, redirected: str) -> None:
    ran = _run(tool, address, redirected)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.isascii()
    assert b"\x1b" not in ran.stdout
    if tool == "chassis.reflect":
        assert rb"a\x1b[2J\u202e\xf6" in ran.stdout


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("redirected", ["> /dev/full", ">&-"])
def test_lost_output_is_reported(address: str, tool: str, redirected: str) -> None:
    ran = _run(tool, address, redirected)
    assert ran.returncode == 1
    assert ran.stderr.startswith(b"error: standard output: ")
    assert b"Traceback" not in ran.stderr
