"""What cannot run is refused, and a job that waits says for what."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chassis.rpc import errors
from chassis.testing.services import services
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    GetJobCapacityRequest,
    ListJobEventsRequest,
    ResumeFineTuningJobRequest,
    ValidateFineTuningJobRequest,
)
from ft.proto.fine_tuning_studio_pb2 import StartFineTuningJobRequest
from ft.proto.fine_tuning_studio_types_pb2 import RetryPolicy
from jobs.testing import PROJECT_ID, WorkbenchProcess
from jobs.workspace.client import Workspace
from services.fine_tuning.tests.studio import PEERS, WAITS, Studio

SMALL = {
    "cpu": 2,
    "memory_gib": 23.4,
    "gpus": 1,
    "labels": {"1": 1, "2": 0},
    "label_values": {"1": "NVIDIA A"},
}


@pytest.fixture
def small(studio: Studio) -> Studio:
    """A studio whose jobs get little, as their template jobs say."""
    studio.workbench.state(FTS_CAPACITY=json.dumps(SMALL))
    return studio


@pytest.mark.parametrize(
    ("asked", "field", "numbers"),
    [
        ({"num_cpu": 16}, "num_cpu", ("16 CPUs", "at most 2")),
        ({"num_memory": 64}, "num_memory", ("64 GiB", "at most 23.4")),
        ({"num_gpu": 2}, "num_gpu", ("2 GPUs", "at most 1")),
        (
            {"num_gpu": 1, "num_workers": 2},
            "num_gpu",
            ("2 GPUs (2 workers with 1 each)", "at most 1"),
        ),
        (
            {"num_gpu": 1, "gpu_label_id": 7},
            "gpu_label_id",
            ("label 7", "existing labels: 1 (NVIDIA A), 2"),
        ),
        ({"num_gpu": 0, "gpu_label_id": 7}, "gpu_label_id", ("label 7", "use -1 for no label")),
        (
            {"num_gpu": 1, "gpu_label_id": -2},
            "gpu_label_id",
            ("-2 is not the id", "use -1 for no label"),
        ),
        ({"num_gpu": 2, "gpu_label_id": 1}, "num_gpu", ("2 GPUs", "at most 1 with label 1")),
    ],
)
async def test_request_beyond_capacity_is_refused_with_both_numbers(
    small: Studio, asked: dict[str, Any], field: str, numbers: tuple[str, str]
) -> None:
    refusal = await small.refusal(**asked)
    assert isinstance(refusal, errors.FailedPrecondition)
    [violation] = refusal.violations
    assert violation.field == field
    assert violation.rule == ("FT-821" if field == "gpu_label_id" else "FT-820")
    assert [number for number in numbers if number not in violation.description] == []
    found = await small.jobs(lambda s: s.ValidateFineTuningJob, _request(**asked))
    assert not found.valid
    assert violation.description in [one.description for one in found.findings]


async def test_request_of_the_whole_capacity_is_accepted(small: Studio) -> None:
    asked = {"num_cpu": 2, "num_memory": 23, "num_gpu": 1, "gpu_label_id": 1}
    assert (await small.start(**asked)).status.state == "SCHEDULED"


@pytest.mark.parametrize("said", ["", "{}", "no json", "[1]", '{"cpu": "many", "labels": 3}'])
async def test_unstated_capacity_limits_nothing(studio: Studio, said: str) -> None:
    studio.workbench.state(FTS_CAPACITY=said)
    job = await studio.start(num_cpu=1000)
    await studio.reach(job.id, "SCHEDULED")


async def test_start_without_a_trainer_needs_a_users_script(
    studio: Studio,
) -> None:
    studio.workbench.state(FTS_NO_TRAINER="the trainer is not installed: `make env`")
    refusal = await studio.refusal(user_script="")
    assert "`make env`" in refusal.message
    assert [v.rule for v in refusal.violations] == ["FT-822"]
    job = await studio.start()
    await studio.reach(job.id, "SUCCEEDED")


async def test_waiting_job_says_for_what(studio: Studio) -> None:
    first = await studio.start(WAITS, num_cpu=64, adapter_name="tickets-1")
    await studio.reach(first.id, "RUNNING")
    assert (await studio.get(first.id)).status.waits_for == ""
    second = await studio.start(num_cpu=2, adapter_name="tickets-2")
    said = "waits for 2 CPUs; tickets-1 holds 64 of 64"
    while (await studio.get(second.id)).status.waits_for != said:
        assert (await studio.get(second.id)).status.state == "SCHEDULED"
    assert said in [job.status.waits_for for job in await studio.listed()]
    (studio.folder(first.id) / "go").touch()
    done = await studio.reach(second.id, "SUCCEEDED")
    assert done.status.waits_for == ""
    request = ListJobEventsRequest(job_id=second.id)
    events = (await studio.jobs(lambda s: s.ListJobEvents, request)).events
    assert said in [event.waits_for for event in events]


async def test_capacity_is_listed_for_clients(small: Studio) -> None:
    found = await small.jobs(lambda s: s.GetJobCapacity, GetJobCapacityRequest())
    assert (found.cpu, found.memory_gib, found.gpus) == (2, 23.4, 1)


# A workspace states nothing but its accelerator labels


def _request(**fields: Any) -> ValidateFineTuningJobRequest:
    request = StartFineTuningJobRequest(
        base_model_id="m",
        dataset_id="d",
        prompt_id="p",
        adapter_name="new",
        **{"num_cpu": 1, "num_memory": 1, "user_script": "train.py", **fields},
    )
    return ValidateFineTuningJobRequest(request=request)


@pytest.fixture
def label(studio: Studio) -> int:
    """The id of a label of a workspace that states no more than its labels: for 8 GPUs."""
    studio.workbench.state(FTS_CAPACITY="")
    [found] = studio.workbench.api.list_all_accelerator_node_labels().accelerator_node_label
    assert found.max_gpu_per_workload == "8"
    return int(found.id)


async def test_capacity_stated_by_label_limits_only_that_label(studio: Studio, label: int) -> None:
    refusal = await studio.refusal(num_gpu=9, gpu_label_id=label)
    assert isinstance(refusal, errors.FailedPrecondition)
    assert [(v.field, v.rule) for v in refusal.violations] == [("num_gpu", "FT-820")]
    assert f"9 GPUs requested, but a job can get at most 8 with label {label}" in refusal.message
    assert "FTS_WORKBENCH" not in refusal.message, "which a workspace does not know"
    unknown = await studio.refusal(num_gpu=1, gpu_label_id=label + 1)
    assert [(v.field, v.rule) for v in unknown.violations] == [("gpu_label_id", "FT-821")]
    assert f"accelerator label {label + 1} does not exist" in unknown.message
    found = await studio.jobs(
        lambda s: s.ValidateFineTuningJob, _request(num_gpu=9, gpu_label_id=label)
    )
    assert refusal.violations[0].description in [one.description for one in found.findings]


@pytest.mark.parametrize(
    "asked",
    [
        {"num_gpu": 8},
        {"num_gpu": 8, "num_workers": 2},  # there each worker is a workload of its own
        {"num_cpu": 1000, "num_memory": 1000},
    ],
)
async def test_capacity_of_the_label_is_accepted(
    studio: Studio, label: int, asked: dict[str, Any]
) -> None:
    assert (await studio.start(gpu_label_id=label, **asked)).status.state == "SCHEDULED"


async def test_label_capacity_does_not_count_without_a_label(studio: Studio, label: int) -> None:
    assert (await studio.start(num_gpu=9)).status.state == "SCHEDULED"
    found = await studio.jobs(lambda s: s.GetJobCapacity, GetJobCapacityRequest())
    assert not any(found.HasField(name) for name in ("cpu", "memory_gib", "gpus"))


@pytest.mark.parametrize("most", ["0", "", None, "many", "-1"])
async def test_label_without_a_number_limits_nothing(
    studio: Studio, label: int, most: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def labels(_: Workspace) -> list[Any]:
        return [SimpleNamespace(id=str(label), label_value="", max_gpu_per_workload=most)]

    monkeypatch.setattr(Workspace, "accelerator_labels", labels)
    assert (await studio.start(num_gpu=9, gpu_label_id=label)).status.state == "SCHEDULED"


async def test_labels_that_cannot_be_listed_limit_nothing(
    studio: Studio, label: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def labels(_: Workspace) -> list[Any]:
        raise errors.PermissionDenied("labels are an administrator's")

    monkeypatch.setattr(Workspace, "accelerator_labels", labels)
    assert (await studio.start(num_gpu=9, gpu_label_id=label)).status.state == "SCHEDULED"


# What is there gets less while a job waits


@pytest.mark.starts_processes
async def test_job_that_waits_for_a_removed_label_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with WorkbenchProcess(tmp_path / "workbench", FTS_WORKBENCH_GPUS="2") as workbench:
        for name, value in workbench.environment.items():
            monkeypatch.setenv(name, value)
        async with services(tmp_path, *PEERS, "fine_tuning"):
            studio = Studio(tmp_path, workbench)
            await studio.fill()
            try:
                await _grant_that_shrinks(studio)
            finally:
                await studio.close()


async def _grant_that_shrinks(studio: Studio) -> None:
    running = await studio.start(WAITS, num_gpu=2, adapter_name="first")
    await studio.reach(running.id, "RUNNING")
    retry = RetryPolicy(max_attempts=3)
    large = await studio.start(num_gpu=2, adapter_name="large", retry=retry)
    small = await studio.start(num_gpu=1, adapter_name="small")
    assert (await studio.get(large.id)).status.state == "SCHEDULED"
    studio.workbench.restart(FTS_WORKBENCH_GPUS="1")
    failed = await studio.reach(large.id, "FAILED")
    said = "cannot run here: it requests 2 GPUs, but the machine has 1. "
    assert failed.status.failure_reason.startswith(said)
    assert (
        "Resume the job when they exist again, or start it with fewer resources"
        in failed.status.failure_reason
    )
    assert (failed.status.failure_kind, failed.status.attempt) == ("REFUSED", 1)
    # Nothing of it is left to begin should there be more GPUs once.
    runs = studio.workbench.api.list_job_runs(PROJECT_ID, failed.cml_job_id).job_runs
    assert [run.status for run in runs] == ["ENGINE_STOPPED"]
    # What began with more goes on, and who asks for less gets its turn.
    (studio.folder(running.id) / "go").touch()
    await studio.reach(running.id, "SUCCEEDED")
    await studio.reach(small.id, "SUCCEEDED")
    resume = ResumeFineTuningJobRequest(id=large.id)
    with pytest.raises(
        errors.FailedPrecondition, match="2 GPUs requested, but a job can get at most"
    ):
        await studio.jobs(lambda s: s.ResumeFineTuningJob, resume)
    studio.workbench.restart(FTS_WORKBENCH_GPUS="2")
    await studio.jobs(lambda s: s.ResumeFineTuningJob, resume)
    done = await studio.reach(large.id, "SUCCEEDED")
    assert (done.status.failure_reason, done.status.attempt) == ("", 2)


# Workers of one run share what is there


async def test_shared_resources_of_workers_are_reported(small: Studio) -> None:
    asked = {"num_workers": 2, "num_cpu": 2, "num_memory": 16}
    said = [
        "2 workers with 2 CPUs each share 2 CPUs, the most that one job can get",
        "2 workers with 16 GiB of memory each share 23.4 GiB of memory, the most that one job can "
        "get",
    ]
    found = await small.jobs(lambda s: s.ValidateFineTuningJob, _request(**asked))
    told = [one for one in found.findings if one.rule == "FT-827"]
    assert [(one.severity, one.field) for one in told] == [("NOTICE", "num_workers")] * 2
    assert [one.description.partition(":")[0] for one in told] == said
    job = await small.start(**asked)
    done = await small.reach(job.id, "SUCCEEDED")
    assert [notice.partition(":")[0] for notice in done.status.notices] == said
    events = (
        await small.jobs(lambda s: s.ListJobEvents, ListJobEventsRequest(job_id=job.id))
    ).events
    notices = [(one.notice.partition(":")[0], one.actor) for one in events if one.notice]
    assert notices == [(sentence, "studio") for sentence in said]


@pytest.mark.parametrize(
    "asked",
    [
        {"num_workers": 1, "num_cpu": 2, "num_memory": 16},
        {"num_workers": 2, "num_cpu": 1, "num_memory": 11},
    ],
)
async def test_workers_with_resources_of_their_own_are_no_notice(
    small: Studio, asked: dict[str, Any]
) -> None:
    job = await small.start(**asked)
    assert list((await small.get(job.id)).status.notices) == []


async def test_workers_of_a_workspace_are_separate_workloads(studio: Studio, label: int) -> None:
    job = await studio.start(num_workers=2, num_cpu=100, num_memory=100, gpu_label_id=label)
    assert list((await studio.get(job.id)).status.notices) == []
