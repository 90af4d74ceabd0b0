"""What cannot run is refused, and a job that waits says for what."""

import json
from typing import Any

import pytest

from chassis import errors
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    GetJobCapacityRequest,
    ListJobEventsRequest,
    ValidateFineTuningJobRequest,
)
from ft.proto.fine_tuning_studio_pb2 import StartFineTuningJobRequest
from services.fine_tuning.tests.studio import WAITS, Studio

SMALL = {"cpu": 2, "memory_gib": 23.4, "gpus": 1, "labels": {"1": 1}}


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
        ({"num_gpu": 1, "gpu_label_id": 7}, "gpu_label_id", ("label 7", "there is 1")),
        ({"num_gpu": 2, "gpu_label_id": 1}, "num_gpu", ("2 GPUs", "at most 1 with label 1")),
    ],
)
async def test_what_cannot_run_is_refused_with_both_numbers(
    small: Studio, asked: dict[str, Any], field: str, numbers: tuple[str, str]
) -> None:
    refusal = await small.refusal(**asked)
    assert isinstance(refusal, errors.FailedPrecondition)
    [violation] = refusal.violations
    assert violation.field == field
    assert violation.rule == ("FT-821" if field == "gpu_label_id" else "FT-820")
    assert [number for number in numbers if number not in violation.description] == []
    request = StartFineTuningJobRequest(
        base_model_id="m",
        dataset_id="d",
        prompt_id="p",
        adapter_name="new",
        **{"num_cpu": 1, "num_memory": 1, "user_script": "train.py", **asked},
    )
    look = ValidateFineTuningJobRequest(request=request)
    found = await small.jobs(lambda s: s.ValidateFineTuningJob, look)
    assert not found.valid
    assert violation.description in [one.description for one in found.findings]


async def test_what_is_there_to_the_last_is_granted(small: Studio) -> None:
    asked = {"num_cpu": 2, "num_memory": 23, "num_gpu": 1, "gpu_label_id": 1}
    assert (await small.start(**asked)).status.state == "SCHEDULED"


@pytest.mark.parametrize("said", ["", "{}", "no json", "[1]", '{"cpu": "many", "labels": 3}'])
async def test_what_nobody_states_is_accepted(studio: Studio, said: str) -> None:
    studio.workbench.state(FTS_CAPACITY=said)
    job = await studio.start(num_cpu=1000)
    await studio.reach(job.id, "SCHEDULED")


async def test_without_a_trainer_only_jobs_with_a_script_of_their_own_start(
    studio: Studio,
) -> None:
    studio.workbench.state(FTS_NO_TRAINER="the trainer is not installed: `make env`")
    refusal = await studio.refusal(user_script="")
    assert "`make env`" in refusal.message
    assert [v.rule for v in refusal.violations] == ["FT-822"]
    job = await studio.start()
    await studio.reach(job.id, "SUCCEEDED")
    studio.workbench.state(FTS_NO_TRAINER="")


async def test_a_job_that_waits_says_for_what(studio: Studio) -> None:
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


async def test_clients_are_told_what_a_job_can_get(small: Studio) -> None:
    found = await small.jobs(lambda s: s.GetJobCapacity, GetJobCapacityRequest())
    assert (found.cpu, found.memory_gib, found.gpus) == (2, 23.4, 1)
