"""An evaluation that could never run is refused, when it is looked at and when it is started."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chassis.rpc import errors
from chassis.testing.services import services
from ft.proto.fine_tuning_studio_jobs_pb2 import ValidateEvaluationJobRequest
from ft.proto.fine_tuning_studio_pb2 import (
    EvaluationJobModelCombination,
    StartEvaluationJobRequest,
)
from jobs.testing import WorkbenchProcess, inspecting
from jobs.workspace.client import Workspace
from services.evaluation.tests.studio import EVALUATES, PEERS, Studio

SMALL = {"cpu": 2, "memory_gib": 23.4, "gpus": 1, "labels": {"1": 1}}


@pytest.fixture
async def studio(tmp_path: Path, workspace: WorkbenchProcess) -> AsyncIterator[Studio]:
    async with services(tmp_path, *PEERS, "fine_tuning", "evaluation"), inspecting(tmp_path):
        studio = Studio(tmp_path, workspace)
        await studio.fill()
        yield studio
        await studio.close()


@pytest.mark.parametrize(
    ("asked", "field", "numbers"),
    [
        ({"cpu": 3}, "cpu", ("3 CPUs", "at most 2")),
        ({"memory": 24}, "memory", ("24 GiB", "at most 23.4")),
        ({"gpu": 2}, "gpu", ("2 GPUs", "at most 1")),
        ({"gpu": 1, "gpu_label_id": 7}, "gpu_label_id", ("label 7", "existing labels: 1")),
    ],
)
async def test_request_beyond_capacity_is_refused_with_both_numbers(
    studio: Studio, asked: dict[str, Any], field: str, numbers: tuple[str, str]
) -> None:
    studio.workbench.state(FTS_CAPACITY=json.dumps(SMALL))
    # Of several combinations none is started.
    refusal = await studio.refusal(("m", ""), ("m", "a"), **asked)
    assert isinstance(refusal, errors.FailedPrecondition)
    [violation] = refusal.violations
    assert violation.field == field
    assert violation.rule == ("FT-821" if field == "gpu_label_id" else "FT-820")
    assert [number for number in numbers if number not in violation.description] == []
    request = StartEvaluationJobRequest(
        type="mlflow",
        model_adapter_combinations=[EvaluationJobModelCombination(base_model_id="m")],
        dataset_id="d",
        prompt_id="p",
        **{"cpu": 1, "memory": 1, **asked},
    )
    look = ValidateEvaluationJobRequest(request=request)
    found = await studio.jobs(lambda s: s.ValidateEvaluationJob, look)
    assert not found.valid
    assert violation.description in [one.description for one in found.findings]


async def test_faults_are_all_named_at_once(studio: Studio) -> None:
    studio.workbench.state(FTS_CAPACITY=json.dumps(SMALL))
    refusal = await studio.refusal(cpu=64, memory=640, gpu=8)
    assert [violation.field for violation in refusal.violations] == ["cpu", "memory", "gpu"]


async def test_request_of_the_whole_capacity_is_accepted(studio: Studio) -> None:
    studio.program(EVALUATES)
    studio.workbench.state(FTS_CAPACITY=json.dumps(SMALL))
    started = (await studio.start(cpu=2, memory=23, gpu=1, gpu_label_id=1)).evaluation_jobs
    assert [job.status.state for job in started] == ["SCHEDULED"]


async def test_capacity_stated_by_label_limits_only_that_label(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def labels(_: Workspace) -> list[Any]:
        return [SimpleNamespace(id="4", label_value="a", max_gpu_per_workload="2")]

    monkeypatch.setattr(Workspace, "accelerator_labels", labels)
    studio.workbench.state(FTS_CAPACITY="")
    refusal = await studio.refusal(cpu=1000, gpu=3, gpu_label_id=4)
    assert [(v.field, v.rule) for v in refusal.violations] == [("gpu", "FT-820")]
    assert "3 GPUs requested, but a job can get at most 2 with label 4" in refusal.message


async def test_start_without_a_trainer_is_refused(studio: Studio) -> None:
    studio.workbench.state(FTS_NO_TRAINER="the trainer is not installed: `make env`")
    refusal = await studio.refusal()
    assert "`make env`" in refusal.message
    assert [violation.rule for violation in refusal.violations] == ["FT-822"]


async def test_read_only_project_is_refused(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As of a folder that is mounted read-only, which only a mount can show to root.
    monkeypatch.setattr("chassis.paths.os.access", lambda path, mode: False)
    refusal = await studio.refusal(("m", ""))
    assert isinstance(refusal, errors.FailedPrecondition)
    assert refusal.metadata["rule"] == "FT-130"
    assert "cannot be written to" in refusal.message
    request = StartEvaluationJobRequest(
        type="mlflow",
        model_adapter_combinations=[EvaluationJobModelCombination(base_model_id="m")],
        dataset_id="d",
        prompt_id="p",
        cpu=1,
        memory=1,
    )
    response = await studio.jobs(
        lambda s: s.ValidateEvaluationJob, ValidateEvaluationJobRequest(request=request)
    )
    assert "FT-130" in [one.rule for one in response.findings if one.severity == "ERROR"]
