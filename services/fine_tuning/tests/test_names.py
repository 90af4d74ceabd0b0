"""Names of adapters: which jobs keep them, and which free them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.rpc import errors
from chassis.testing.services import put_rows, services
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    CancelFineTuningJobRequest,
    ResumeFineTuningJobRequest,
)
from ft.proto.fine_tuning_studio_pb2 import AddAdapterRequest, FineTuningJobMetadata
from ft.proto.fine_tuning_studio_types_pb2 import RetryPolicy
from jobs.testing import WorkbenchProcess
from services.fine_tuning.tests.studio import PEERS, WAITS, Studio

# The folder is there when another attempt begins.
AGAIN = """
import json, os, pathlib, sys, time
words = os.environ["JOB_ARGUMENTS"].split(" ")
folder = pathlib.Path(words[words.index("--train_out_dir") + 1])
folder.mkdir(parents=True, exist_ok=True)
"""
FAILS = AGAIN + "sys.exit(3)\n"
REGISTERS_AND_FAILS = (
    AGAIN
    + """
with (folder / "events.jsonl").open("a") as events:
    events.write(json.dumps({"event": "registered", "adapter_id": "a-own"}) + "\\n")
sys.exit(3)
"""
)
ENDED = ("FAILED", "STOPPED", "TIMED_OUT", "LOST")


@pytest.fixture(params=["sqlite", "postgresql"])
async def any_studio(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    workspace: WorkbenchProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Studio]:
    """A studio on a database of each kind."""
    monkeypatch.setenv("FTS_WORKSPACE_REQUEST_SECONDS", "3")
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    async with services(tmp_path, *PEERS), services(tmp_path, "fine_tuning", database_url=url):
        studio = Studio(tmp_path, workspace)
        await studio.fill()
        for job in await studio.listed():
            await studio.remove(job.id)
        yield studio
        for job in await studio.listed():
            await studio.remove(job.id)
        await studio.close()


async def start(studio: Studio, script: str, **fields: Any) -> FineTuningJobMetadata:
    name = f"script-{abs(hash(script))}.py"
    return await studio.start(user_script=studio.workbench.script(name, script), **fields)


async def resume(studio: Studio, id: str) -> FineTuningJobMetadata:
    request = ResumeFineTuningJobRequest(id=id)
    return (await studio.jobs(lambda s: s.ResumeFineTuningJob, request)).fine_tuning_job


async def cancel(studio: Studio, id: str) -> None:
    await studio.jobs(lambda s: s.CancelFineTuningJob, CancelFineTuningJobRequest(id=id))


async def refused(call: Any) -> errors.AlreadyExists:
    with pytest.raises(errors.AlreadyExists) as refusal:
        await call
    assert refusal.value.metadata["rule"] == "FT-602"
    assert refusal.value.code_reason == "ADAPTER_NAME_TAKEN"
    return refusal.value


async def test_job_that_failed_frees_its_name_until_it_is_resumed(any_studio: Studio) -> None:
    studio = any_studio
    first = await start(studio, FAILS)
    await studio.reach(first.id, "FAILED")
    second = await studio.start(WAITS)
    taken = await refused(resume(studio, first.id))
    assert taken.metadata["holder_id"] == second.id
    assert (await studio.get(first.id)).status.state == "FAILED"
    assert (await studio.get(first.id)).status.attempt == 1
    await cancel(studio, second.id)
    await studio.reach(second.id, "STOPPED")
    assert (await resume(studio, first.id)).status.attempt == 2
    await refused(resume(studio, second.id))
    await studio.reach(first.id, "FAILED")


async def test_name_goes_to_one_of_concurrent_resumes_and_starts(
    any_studio: Studio,
) -> None:
    studio = any_studio
    ended = []
    for _ in range(4):
        job = await studio.start(WAITS)
        await cancel(studio, job.id)
        ended.append((await studio.reach(job.id, "STOPPED")).id)
    calls = [*(resume(studio, id) for id in ended), *(studio.start(WAITS) for _ in range(4))]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    taken = [one for one in outcomes if isinstance(one, errors.AlreadyExists)]
    assert len(taken) == 7, outcomes
    underway = [j for j in await studio.listed() if j.status.state not in ENDED]
    assert len(underway) == 1


@pytest.mark.parametrize("state", ENDED)
async def test_name_is_free_after_every_end_without_an_adapter(studio: Studio, state: str) -> None:
    await put_rows(studio.home, "fine_tuning", {"id": "j", "adapter_name": "new", "state": state})
    assert (await studio.start()).adapter_name == "new"


@pytest.mark.parametrize(
    "row",
    [
        {"state": "SUCCEEDED"},
        {"state": "UNKNOWN"},
        {},
        {"state": "FAILED", "adapter_id": "a-own"},
    ],
)
async def test_job_that_may_have_an_adapter_keeps_its_name(
    studio: Studio, row: dict[str, Any]
) -> None:
    await put_rows(studio.home, "fine_tuning", {"id": "j", "adapter_name": "new", **row})
    assert (await refused(studio.start())).metadata["holder_id"] == "j"


async def test_job_between_two_attempts_keeps_its_name(
    tmp_path: Path, workspace: WorkbenchProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTS_RETRY_PAUSE_SECONDS", "3600")
    async with services(tmp_path, *PEERS, "fine_tuning"):
        studio = Studio(tmp_path, workspace)
        await studio.fill()
        crashes = AGAIN + "os.abort()\n"
        job = await start(studio, crashes, retry=RetryPolicy(max_attempts=2))
        await studio.reach(job.id, "QUEUED")
        assert (await refused(studio.start())).metadata["holder_id"] == job.id
        await studio.close()


async def test_resume_is_refused_if_an_adapter_took_the_name(
    studio: Studio,
) -> None:
    job = await start(studio, FAILS)
    await studio.reach(job.id, "FAILED")
    (studio.workbench.project / "elsewhere").mkdir(exist_ok=True)
    add = AddAdapterRequest(type="project", name="new", model_id="m", location="elsewhere")
    adapter = (await studio.adapters(lambda s: s.AddAdapter, add)).adapter
    assert (await refused(resume(studio, job.id))).metadata["holder_id"] == adapter.id


async def test_job_that_registered_its_adapter_and_failed_is_resumed(studio: Studio) -> None:
    job = await start(studio, REGISTERS_AND_FAILS)
    failed = await studio.reach(job.id, "FAILED")
    assert failed.adapter_id == "a-own"
    own = {"id": "a-own", "name": "new", "fine_tuning_job_id": job.id}
    await put_rows(studio.home, "adapters", own)
    assert (await resume(studio, job.id)).status.attempt == 2
    await studio.reach(job.id, "FAILED")


NAMESAKES = [
    {"id": "j-failed", "adapter_name": "same", "state": "FAILED", "dataset_fraction": 0.1},
    {"id": "j-made", "adapter_name": "same", "state": "SUCCEEDED", "dataset_fraction": 0.2},
    {"id": "j-lost", "adapter_name": "same", "state": "LOST", "dataset_fraction": 0.3},
]


@pytest.mark.parametrize("turned", [False, True])
async def test_split_is_that_of_the_job_that_made_the_adapter(studio: Studio, turned: bool) -> None:
    jobs = [
        {**row, "train_test_split": 0.5, "out_dir": f"adapters/{row['id']}"} for row in NAMESAKES
    ]
    await put_rows(studio.home, "fine_tuning", *(reversed(jobs) if turned else jobs))
    adapters = {
        "by-id": {"fine_tuning_job_id": "j-lost"},
        "same": {},
        "by-place": {"location": "adapters/j-failed"},
        "by-place-too": {"location": str(studio.workbench.project / "adapters/j-lost/")},
        "other": {"location": "adapters/x/j-failed"},
    }
    rows = [{"id": name, "name": name, **row} for name, row in adapters.items()]
    await put_rows(studio.home, "adapters", *rows)
    found = {name: (await studio.split(name))[0] for name in adapters}
    expected = {"by-id": 0.3, "same": 0.2, "by-place": 0.1, "by-place-too": 0.3, "other": 1.0}
    assert found == pytest.approx(expected)


async def test_split_is_unknown_if_several_jobs_may_have_made_the_adapter(studio: Studio) -> None:
    both = [{**row, "state": "SUCCEEDED", "train_test_split": 0.5} for row in NAMESAKES[:2]]
    await put_rows(studio.home, "fine_tuning", *both)
    await put_rows(studio.home, "adapters", {"id": "a-same", "name": "same"})
    assert await studio.split("a-same") == (1.0, pytest.approx(0.9))
    one = {"id": "a-one", "name": "one-of-them"}
    await put_rows(studio.home, "adapters", one)
    await put_rows(
        studio.home, "fine_tuning", {"id": "j-4", "adapter_id": "a-one", "dataset_fraction": 0.4}
    )
    # Its record says which adapter it has made, and nothing of its split.
    assert await studio.split("a-one") == (1.0, pytest.approx(0.9))
