"""What is asked for with an export by a job: its name, its resources, and the same once more."""

import asyncio

import pytest

from chassis.rpc import errors
from ft.proto.fine_tuning_studio_jobs_pb2 import ExportJobMetadata
from ft.proto.fine_tuning_studio_types_pb2 import RetryPolicy
from jobs.testing import PROJECT_ID
from services.models.tests.conftest import MADE, Studio


async def test_name_is_exported_once_for_concurrent_requests(studio: Studio) -> None:
    asked = [studio.start(type=type) for type in ("merged", "model_registry") for _ in range(10)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    [job] = [one for one in outcomes if isinstance(one, ExportJobMetadata)]
    refused = [one for one in outcomes if isinstance(one, errors.AlreadyExists)]
    assert len(refused) == 19
    assert {r.metadata["holder_id"] for r in refused} == {job.id}
    assert [one.id for one in await studio.listed()] == [job.id]


async def test_name_is_free_after_a_failed_export(studio: Studio) -> None:
    job = await studio.start()
    await studio.seen(job)
    await studio.cancel(job)
    await studio.until(job, lambda now: now.status.state == "STOPPED")
    assert (await studio.start()).id != job.id


async def test_repeated_request_starts_one_job(studio: Studio) -> None:
    jobs = await asyncio.gather(*(studio.start(request_id="export-1") for _ in range(20)))
    [id] = {job.id for job in jobs}
    assert [job.id for job in await studio.listed()] == [id]
    for other in ({"model_name": "another"}, {"type": "cml_model"}):
        with pytest.raises(errors.InvalidArgument) as refused:
            await studio.start(request_id="export-1", **other)
        assert [(v.field, v.rule) for v in refused.value.violations] == [("request_id", "FT-018")]
    # Its own model has the name by now, which is no reason to refuse.
    await studio.register(jobs[0], **MADE)
    assert (await studio.start(request_id="export-1")).id == id


@pytest.mark.parametrize("prefix", ["", "job_"])
async def test_job_gets_the_requested_resources(studio: Studio, prefix: str) -> None:
    wanted = {f"{prefix}cpu": 3, f"{prefix}memory": 5, f"{prefix}gpu": 1}
    job = await studio.start(**wanted)
    assert (job.num_cpu, job.num_memory, job.num_gpu) == (3, 5, 1)
    created = studio.workbench.api.get_job(PROJECT_ID, job.cml_job_id)
    assert (created.cpu, created.memory, created.nvidia_gpu) == (3, 5, 1)


async def test_resources_of_the_request_come_first(studio: Studio) -> None:
    job = await studio.start(cpu=3, job_cpu=1)
    assert (job.num_cpu, job.num_memory, job.num_gpu) == (1, 8, 0)


async def test_resources_out_of_range_are_named_as_sent(studio: Studio) -> None:
    refusal = await studio.refusal(cpu=-1, job_memory=0, gpu=-1)
    assert {v.field: v.rule for v in refusal.violations} == {
        "cpu": "FT-802",
        "job_memory": "FT-802",
        "gpu": "FT-803",
    }


async def test_failed_export_is_retried(studio: Studio) -> None:
    policy = RetryPolicy(max_attempts=2, on=["CRASHED", "ERROR"])
    job = await studio.start(retry=policy)
    await studio.crash(job)
    await studio.until(job, lambda now: now.status.attempt == 2)
    assert (await studio.ends(job)).status.retry == policy


async def test_retry_policy_out_of_range_is_refused(studio: Studio) -> None:
    refusal = await studio.refusal(retry=RetryPolicy(max_attempts=99))
    assert [(v.field, v.rule) for v in refusal.violations] == [("retry.max_attempts", "FT-813")]
