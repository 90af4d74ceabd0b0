"""Each inspection is a process that ends with its call."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from datasets import Dataset
from grpc import StatusCode, aio

from chassis.testing.services import ServiceProcess
from ft.proto.inspection_pb2_grpc import InspectionStub
from services.inspection.processes import AT_ONCE
from services.inspection.tests.conftest import job, rules

pytestmark = pytest.mark.starts_processes


@pytest.fixture
async def stub(project: Path, tmp_path: Path) -> AsyncIterator[InspectionStub]:
    """Calls of the service, each with a deadline of the test's own."""
    with ServiceProcess(tmp_path, "inspection") as process:
        await process.serving()
        async with aio.insecure_channel(process.address) as channel:
            yield InspectionStub(channel)


@pytest.fixture
def endless(project: Path) -> str:
    """A dataset that is read for ever: its rows are to come from a pipe that nobody writes to."""
    Dataset.from_dict({"a": ["x"]}).save_to_disk(str(project / "saved"))
    [rows] = (project / "saved").glob("*.arrow")
    rows.unlink()
    os.mkfifo(rows)
    return "saved"


def workers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if is_worker(child)]


def is_worker(process: psutil.Process) -> bool:
    try:
        return "services.inspection.worker" in process.cmdline()
    except psutil.Error:
        return False  # it has just ended


async def until_workers(count: int, folder: Path) -> None:
    async with asyncio.timeout(120):
        while len(workers()) != count or len(left(folder)) != count:  # noqa: ASYNC110 - processes
            await asyncio.sleep(0.02)


def left(folder: Path) -> list[Path]:
    return list((folder / "inspection").glob("*"))


async def test_calls_are_answered_one_after_the_other(
    stub: InspectionStub, project: Path, tmp_path: Path
) -> None:
    (project / "d.jsonl").write_text('{"a": "x"}\n')

    for _ in range(10):
        assert (await stub.InspectJob(job("d.jsonl"), timeout=60)).data.rows == 1
    assert left(tmp_path) == []


async def test_cancelled_call_ends_its_process(
    stub: InspectionStub, endless: str, tmp_path: Path
) -> None:
    call = stub.InspectJob(job(endless), timeout=60)
    waiting = asyncio.ensure_future(call)
    await until_workers(1, tmp_path)

    call.cancel()

    await until_workers(0, tmp_path)
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_deadline_ends_its_process(
    stub: InspectionStub, endless: str, tmp_path: Path
) -> None:
    with pytest.raises(aio.AioRpcError) as refused:
        await stub.InspectJob(job(endless), timeout=2)

    assert refused.value.code() is StatusCode.DEADLINE_EXCEEDED
    await until_workers(0, tmp_path)


async def test_calls_beyond_the_limit_are_refused_until_one_ends(
    stub: InspectionStub, endless: str, project: Path, tmp_path: Path
) -> None:
    calls = [stub.InspectJob(job(endless), timeout=60) for _ in range(AT_ONCE)]
    running = [asyncio.ensure_future(call) for call in calls]
    await until_workers(AT_ONCE, tmp_path)

    with pytest.raises(aio.AioRpcError) as refused:
        await stub.InspectJob(job(endless), timeout=60)
    assert refused.value.code() is StatusCode.RESOURCE_EXHAUSTED

    for call in calls:
        call.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await until_workers(0, tmp_path)
    (project / "e.jsonl").write_text('{"a": "x"}\n')
    assert (await stub.InspectJob(job("e.jsonl"), timeout=60)).data.rows == 1


async def test_process_out_of_memory_harms_no_other(stub: InspectionStub, project: Path) -> None:
    talk = {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}
    (project / "d.jsonl").write_text(json.dumps(talk) + "\n")
    (project / "model/chat_template.jinja").write_text("{{ 'x' * 99999999999 }}")

    response = await stub.InspectJob(job("d.jsonl", "{messages}"), timeout=60)

    assert rules(response)["FT-872"] == "ERROR"


async def test_killed_process_is_a_finding(
    stub: InspectionStub, endless: str, tmp_path: Path
) -> None:
    waiting = asyncio.ensure_future(stub.InspectJob(job(endless), timeout=60))
    await until_workers(1, tmp_path)

    workers()[0].kill()

    assert rules(await waiting)["FT-851"] == "WARNING"


async def test_files_of_an_earlier_service_are_removed(tmp_path: Path) -> None:
    (tmp_path / "inspection/left").mkdir(parents=True)
    with ServiceProcess(tmp_path, "inspection") as process:
        await process.serving()
        async with asyncio.timeout(120):
            while left(tmp_path):  # noqa: ASYNC110 - another process removes it
                await asyncio.sleep(0.02)
        process.terminate()
        assert process.wait() == 0
