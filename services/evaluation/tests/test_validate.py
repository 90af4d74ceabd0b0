"""Evaluations that are looked at in place of being started."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.domains import DOMAIN_SERVICES
from chassis.rpc import errors
from chassis.rpc.peers import Peer
from chassis.testing.services import put_rows, services, settings_in
from ft.proto import domains_pb2_grpc as stubs
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    DataSummary,
    Finding,
    MemoryEstimate,
    ValidateEvaluationJobRequest,
    ValidateEvaluationJobResponse,
)
from ft.proto.fine_tuning_studio_pb2 import (
    EvaluationJobModelCombination,
    StartEvaluationJobRequest,
)
from ft.proto.inspection_pb2 import InspectJobRequest, InspectJobResponse
from jobs.testing import Inspector, WorkbenchProcess, everything, inspecting

PEERS = ("datasets", "models", "prompts", "configs", "adapters", "fine_tuning")
ROWS: dict[str, list[dict[str, Any]]] = {
    "models": [
        {"id": "m", "type": "project", "name": "base", "location": "base"},
        {"id": "m-2", "type": "project", "name": "large", "location": "base"},
    ],
    "datasets": [{"id": "d", "name": "intents", "features": '["text", "label"]'}],
    "prompts": [{"id": "p", "name": "p", "dataset_id": "d"}],
    "adapters": [{"id": "a", "name": "one", "fine_tuning_job_id": "j"}],
    "fine_tuning": [{"id": "j", "dataset_fraction": 0.5, "train_test_split": 0.25}],
}
WRONG: dict[str, Any] = {
    "type": "guess",
    "combinations": [("m", ""), ("nope", "gone")],
    "prompt_id": "nope",
    "cpu": 0,
    "generation_config": '{"temprature": 1}',
    "selected_features": ["label", "colour"],
    "comparison_adapter_id": "nope",
}


class Studio:
    """Calls to the services."""

    def __init__(self, folder: Path, workbench: WorkbenchProcess, inspector: Inspector) -> None:
        self.folder = folder
        self.workbench = workbench
        self.inspector = inspector
        self.jobs = Peer(
            "evaluation",
            settings_in(folder, "test"),
            DOMAIN_SERVICES["evaluation"],
            stubs.EvaluationStub,
        )

    def request(self, **fields: Any) -> StartEvaluationJobRequest:
        combinations = fields.pop("combinations", [("m", ""), ("m", "a")])
        sent = {
            "type": "mlflow",
            "model_adapter_combinations": [
                EvaluationJobModelCombination(base_model_id=model, adapter_id=adapter)
                for model, adapter in combinations
            ],
            "dataset_id": "d",
            "prompt_id": "p",
            "cpu": 1,
            "memory": 2,
            **fields,
        }
        return StartEvaluationJobRequest(**sent)

    async def look(self, **fields: Any) -> ValidateEvaluationJobResponse:
        """What is found; fails if anything has changed."""
        looked_at = (self.folder, self.workbench, *PEERS, "evaluation")
        before = await everything(*looked_at)
        request = ValidateEvaluationJobRequest(request=self.request(**fields))
        response = await self.jobs(lambda s: s.ValidateEvaluationJob, request)
        assert await everything(*looked_at) == before
        return response


def found(response: ValidateEvaluationJobResponse) -> set[tuple[str, str, str]]:
    return {(one.severity, one.field, one.rule) for one in response.findings}


@pytest.fixture
async def studio(tmp_path: Path, workspace: WorkbenchProcess) -> AsyncIterator[Studio]:
    async with services(tmp_path, *PEERS, "evaluation"), inspecting(tmp_path) as inspector:
        for name, rows in ROWS.items():
            await put_rows(tmp_path, name, *rows)
        studio = Studio(tmp_path, workspace, inspector)
        yield studio
        await studio.jobs.close()


async def test_valid_request_is_valid_and_changes_nothing(studio: Studio) -> None:
    response = await studio.look(
        generation_config='{"top_k": 5, "do_sample": true}',
        selected_features=["label"],
        comparison_adapter_id="a",
    )
    assert response.valid
    assert list(response.findings) == []
    assert not response.HasField("data")
    assert not response.HasField("memory")


async def test_models_are_inspected_once_with_the_rows_to_score(
    studio: Studio,
) -> None:
    await studio.look(
        combinations=[("m", ""), ("m", "a"), ("m-2", "")],
        eval_dataset_fraction=0.75,
        model_bnb_config='{"load_in_4bit": true}',
    )
    assert [asked.model.id for asked in studio.inspector.asked] == ["m", "m-2"]
    first, second = studio.inspector.asked
    assert [one.id for one in first.adapters] == ["a"]
    assert (first.alone, second.alone, len(second.adapters)) == (True, True, 0)
    assert second.comparison_adapter.id == "a"
    for asked in studio.inspector.asked:
        assert (asked.kind, asked.dataset.id, asked.prompt.id) == ("evaluation", "d", "p")
        shares = (asked.dataset_fraction, asked.train_test_split, asked.eval_dataset_fraction)
        assert shares == (0.5, 0.25, 0.75)
        assert json.loads(asked.generation_config_json)["max_new_tokens"] == 60
        assert json.loads(asked.bnb_config_json) == {"load_in_4bit": True}
        assert (asked.memory_gib, asked.num_workers) == (2, 1)


async def test_memory_is_that_of_the_largest_and_findings_come_once(
    tmp_path: Path, workspace: WorkbenchProcess
) -> None:
    class Sized(Inspector):
        async def InspectJob(self, request: InspectJobRequest) -> InspectJobResponse:
            gib = {"m": 9.0, "m-2": 4.0}[request.model.id]
            finding = Finding(severity="WARNING", field="dataset_id", description="d")
            memory = MemoryEstimate(gib=gib)
            data = DataSummary(rows=3)
            return InspectJobResponse(findings=[finding], memory=memory, data=data)

    async with (
        services(tmp_path, *PEERS, "evaluation"),
        inspecting(tmp_path, Sized()) as inspector,
    ):
        for name, rows in ROWS.items():
            await put_rows(tmp_path, name, *rows)
        studio = Studio(tmp_path, workspace, inspector)
        response = await studio.look(combinations=[("m", ""), ("m-2", "")])
        await studio.jobs.close()
    assert (response.memory.gib, response.data.rows, response.valid) == (9.0, 3, True)
    assert len(response.findings) == 1


async def test_errors_of_every_kind_are_reported_together(studio: Studio) -> None:
    response = await studio.look(**WRONG)
    assert not response.valid
    assert found(response) == {
        ("ERROR", "type", "FT-005"),
        ("ERROR", "model_adapter_combinations[1].base_model_id", "FT-012"),
        ("ERROR", "model_adapter_combinations[1].adapter_id", "FT-012"),
        ("ERROR", "prompt_id", "FT-012"),
        ("ERROR", "cpu", "FT-802"),
        ("ERROR", "generation_config", "FT-806"),
        ("ERROR", "selected_features", "FT-702"),
        ("ERROR", "comparison_adapter_id", "FT-012"),
    }
    assert studio.inspector.asked == []


@pytest.mark.parametrize("field", WRONG)
async def test_start_refuses_what_validate_finds_invalid(studio: Studio, field: str) -> None:
    wrong = {field: WRONG[field]}
    findings = (await studio.look(**wrong)).findings
    assert findings
    with pytest.raises(errors.Refusal) as refused:
        await studio.jobs(lambda s: s.StartEvaluationJob, studio.request(**wrong))
    told = [(one.field, one.rule, one.description) for one in findings]
    assert told == [(v.field, v.rule, v.description) for v in refused.value.violations]


async def test_unknown_columns_are_not_checked(studio: Studio) -> None:
    rows = [{"id": "d-2", "features": "{"}, {"id": "d-3", "features": "1"}, {"id": "d-4"}]
    await put_rows(studio.folder, "datasets", *rows)
    for row in rows:
        response = await studio.look(dataset_id=row["id"], selected_features=["colour"])
        assert response.valid


@pytest.mark.parametrize("away", [*PEERS, "inspection"])
async def test_domain_that_is_down_is_named(
    tmp_path: Path, workspace: WorkbenchProcess, away: str
) -> None:
    async with services(tmp_path, "evaluation"):
        async with services(tmp_path, *PEERS):
            for name, rows in ROWS.items():
                await put_rows(tmp_path, name, *rows)
        there = [name for name in PEERS if name != away]
        studio = Studio(tmp_path, workspace, Inspector())
        async with services(tmp_path, *there):
            request = ValidateEvaluationJobRequest(request=studio.request())
            with pytest.raises(errors.Unavailable) as refused:
                await studio.jobs(lambda s: s.ValidateEvaluationJob, request)
        await studio.jobs.close()
    assert refused.value.metadata == {"service": away}
