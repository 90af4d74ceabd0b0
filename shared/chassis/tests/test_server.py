"""A service process from its start to its end."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from chassis.domains import DOMAIN_SERVICES
from chassis.testing.services import ServiceProcess
from ft.health import check_address
from ft.proto.fine_tuning_studio_pb2 import GetDatasetRequest, GetDatasetResponse
from tests.processes import starts_processes

pytestmark = pytest.mark.starts_processes

SLOW = str(Path(__file__).with_name("slow_service.py"))
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def wait_for(file: Path, seconds: float = 120.0) -> None:
    """Returns once the file exists."""
    deadline = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} did not appear"
        time.sleep(0.01)


def get_dataset(channel: aio.Channel, path: Path, wait_for_ready: bool = True) -> Any:
    stub: Any = channel.unary_unary(
        f"/{DOMAIN_SERVICES['datasets'].full_name}/GetDataset",
        GetDatasetRequest.SerializeToString,
        GetDatasetResponse.FromString,
    )
    return stub(GetDatasetRequest(id=str(path)), timeout=120, wait_for_ready=wait_for_ready)


async def ask_on(address: str, path: Path) -> None:
    """Asks for what can be answered at once, for as long as calls are answered."""
    async with asyncio.timeout(60), aio.insecure_channel(address) as channel:
        while True:
            await get_dataset(channel, path, wait_for_ready=False)


@pytest.fixture
@starts_processes
async def slow(tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    with ServiceProcess(tmp_path, "slow", SLOW, "slow", FTS_GRACE_SECONDS="8") as process:
        await process.serving()
        yield process


async def test_service_reports_its_health_and_contract(tmp_path: Path) -> None:
    name = DOMAIN_SERVICES["prompts"].full_name
    with ServiceProcess(tmp_path, "prompts") as process:
        await process.serving()
        assert check_address(process.address, name) == "SERVING"
        assert check_address(process.address, "no.such.Service") == "SERVICE_UNKNOWN"
        async with aio.insecure_channel(process.address) as channel:
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            answer = await anext(aiter(stub.ServerReflectionInfo(iter([request]))))
            assert name in {s.name for s in answer.list_services_response.service}
        process.terminate()
        assert process.wait() == 0
    assert "Traceback" not in process.log.read_text()


async def test_calls_in_flight_are_drained_before_the_exit(
    slow: ServiceProcess, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    async with aio.insecure_channel(slow.address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        states = aiter(watch)
        assert (await anext(states)).status == SERVING
        answer = get_dataset(channel, release)
        await asyncio.to_thread(wait_for, tmp_path / "release.begun")
        slow.terminate()
        assert (await anext(states)).status == NOT_SERVING
        # A call that arrives at the very moment is cancelled; `translate` reads both alike.
        with pytest.raises(aio.AioRpcError, match=r"UNAVAILABLE|CANCELLED"):
            await ask_on(slow.address, tmp_path)
        release.touch()
        assert (await answer).dataset.id == str(release)
        watch.cancel()
    assert await asyncio.to_thread(slow.wait, 5) == 0
    assert "Traceback" not in slow.log.read_text()


@pytest.mark.parametrize("name", ["never", "never.blocked"])
async def test_calls_are_cut_off_after_the_grace_period(tmp_path: Path, name: str) -> None:
    with ServiceProcess(tmp_path, "slow", SLOW, "slow", FTS_GRACE_SECONDS="0.3") as process:
        await process.serving()
        async with aio.insecure_channel(process.address) as channel:
            answer = get_dataset(channel, tmp_path / name)
            await asyncio.to_thread(wait_for, tmp_path / "never.begun")
            process.terminate()
            assert await asyncio.to_thread(process.wait, 5) == 0
            with pytest.raises(aio.AioRpcError):
                await answer
    assert "calls cut off" in process.log.read_text()


async def test_second_process_does_not_take_over_the_socket(
    slow: ServiceProcess, tmp_path: Path
) -> None:
    with ServiceProcess(tmp_path, "slow", SLOW, "slow") as second:
        assert await asyncio.to_thread(second.wait) == 1
    assert "another process already serves" in slow.log.read_text()
    await slow.serving()


async def test_killed_process_leaves_nothing_in_the_way(
    slow: ServiceProcess, tmp_path: Path
) -> None:
    slow.kill()
    with ServiceProcess(tmp_path, "slow", SLOW, "slow") as again:
        await again.serving()


async def test_port_is_published(tmp_path: Path) -> None:
    published = tmp_path / "run" / "slow.address"
    with ServiceProcess(tmp_path, "slow", SLOW, "slow", FTS_LISTEN="127.0.0.1:0") as process:
        await asyncio.to_thread(wait_for, published)
        process.address = published.read_text()
        assert process.address.startswith("127.0.0.1:")
        await process.serving()
        with ServiceProcess(tmp_path, "other", SLOW, "other", FTS_LISTEN=process.address) as second:
            assert await asyncio.to_thread(second.wait) == 1
        assert "cannot listen" in second.log.read_text()
        process.terminate()
        assert await asyncio.to_thread(process.wait) == 0
    assert not published.exists()


async def test_socket_path_that_is_too_long_is_reported(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path / ("x" * 100), "slow", SLOW, "slow") as process:
        assert await asyncio.to_thread(process.wait) == 1
    assert "longer than 107 bytes" in process.log.read_text()


async def test_calls_beyond_the_limit_are_refused_at_once(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, "slow", SLOW, "slow", FTS_MAX_CONCURRENT_RPCS="1") as process:
        async with aio.insecure_channel(process.address) as channel:
            answer = get_dataset(channel, tmp_path / "release")
            await asyncio.to_thread(wait_for, tmp_path / "release.begun")
            with pytest.raises(aio.AioRpcError) as refused:
                await get_dataset(channel, tmp_path / "other")
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            (tmp_path / "release").touch()
            await answer


FAULTS = """
import resource, sys
from chassis.memory import keep_freed_memory
if sys.argv[1:] == ["kept"]:
    keep_freed_memory()
def answer():
    return [b"x" * 300_000 for _ in range(4)]
for _ in range(5):
    answer()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    answer()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_memory_of_large_answers_is_kept_for_the_next() -> None:
    def faults(*arguments: str) -> int:
        command = (sys.executable, "-c", FAULTS, *arguments)
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        return int(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)

    assert faults("kept") < faults() / 10


def test_garbage_collections_are_rare_until_the_start_has_finished() -> None:
    code = (
        "import gc; usual = gc.get_threshold(); import chassis; from chassis import memory; "
        "assert gc.get_threshold()[0] == memory.START_OBJECTS > usual[0]; "
        "memory.finish_start(); assert gc.get_threshold() == usual and gc.get_freeze_count()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
