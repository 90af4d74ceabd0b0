"""An export that could never run is refused, by the names that its request has."""

import json
from typing import Any

import pytest

from chassis.rpc import errors
from services.models.tests.conftest import Studio

SMALL = {"cpu": 2, "memory_gib": 23.4, "gpus": 1, "labels": {"1": 1}}


@pytest.fixture
def small(studio: Studio) -> Studio:
    """A studio whose exports get little, as their template job says."""
    studio.workbench.state(FTS_CAPACITY=json.dumps(SMALL))
    return studio


@pytest.mark.parametrize("kind", ["merged", "model_registry"])
@pytest.mark.parametrize("prefix", ["", "job_"])
@pytest.mark.parametrize(
    ("name", "asked", "numbers"),
    [
        ("cpu", 3, ("3 CPUs", "at most 2")),
        ("memory", 24, ("24 GiB", "at most 23.4")),
        ("gpu", 2, ("2 GPUs", "at most 1")),
    ],
)
async def test_request_beyond_capacity_is_refused_with_both_numbers(
    small: Studio, kind: str, prefix: str, name: str, asked: int, numbers: tuple[str, str]
) -> None:
    wanted = {"cpu": 1, "memory": 1, "type": kind, f"{prefix}{name}": asked}
    refusal = await small.refusal(**wanted)
    assert isinstance(refusal, errors.FailedPrecondition)
    assert [(v.field, v.rule) for v in refusal.violations] == [(f"{prefix}{name}", "FT-820")]
    assert [number for number in numbers if number not in refusal.message] == []


async def test_faults_are_all_named_at_once(small: Studio) -> None:
    refusal = await small.refusal(job_cpu=64, memory=640, job_gpu=8)
    assert [violation.field for violation in refusal.violations] == ["job_cpu", "memory", "job_gpu"]


async def test_request_of_the_whole_capacity_is_accepted(small: Studio) -> None:
    job = await small.start(job_cpu=2, job_memory=23, job_gpu=1)
    assert job.status.state == "SCHEDULED"


@pytest.mark.parametrize("stated", ["", "{}", '{"cpu": null, "gpus": "some"}'])
async def test_unstated_capacity_limits_nothing(studio: Studio, stated: str) -> None:
    studio.workbench.state(FTS_CAPACITY=stated)
    wanted: dict[str, Any] = {"job_cpu": 1000, "job_memory": 1000, "job_gpu": 1000}
    assert (await studio.start(**wanted)).status.state == "SCHEDULED"


async def test_start_without_a_trainer_is_refused(studio: Studio) -> None:
    studio.workbench.state(FTS_NO_TRAINER="the trainer is not installed: `make env`")
    refusal = await studio.refusal()
    assert "`make env`" in refusal.message
    assert [violation.rule for violation in refusal.violations] == ["FT-822"]
