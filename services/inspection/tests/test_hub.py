"""Models and datasets of the hub."""

from pathlib import Path

import pytest
from grpc import aio

from chassis.testing.hub import Repo, hub
from chassis.testing.services import ServiceProcess
from ft.proto.fine_tuning_studio_pb2 import DatasetMetadata, ModelMetadata
from ft.proto.inspection_pb2 import InspectJobRequest, InspectJobResponse
from ft.proto.inspection_pb2_grpc import InspectionStub
from services.inspection.tests.conftest import STARTER, job, rules

pytestmark = pytest.mark.starts_processes

TOKEN = "hf_planted"
MODEL = {path.name: path.read_bytes() for path in (STARTER / "model").iterdir()}
DATA = {"train.jsonl": b'{"a": "x"}\n{"a": ""}\n', "test.jsonl": b'{"a": "y"}\n'}


async def inspected(folder: Path, request: InspectJobRequest, *repos: Repo) -> InspectJobResponse:
    with hub(*repos, tokens=(TOKEN,)) as served:
        environment = served.environment(str(folder / "hf"))
        environment["HUGGINGFACE_ACCESS_TOKEN"] = TOKEN
        with ServiceProcess(folder, "inspection", **environment) as process:
            await process.serving()
            async with aio.insecure_channel(process.address) as channel:
                response: InspectJobResponse = await InspectionStub(channel).InspectJob(
                    request, timeout=60
                )
        assert TOKEN not in process.log.read_text() + str(response)
        return response


def hub_job() -> InspectJobRequest:
    return job(
        "x.csv",
        model=ModelMetadata(type="huggingface", huggingface_model_name="a/model"),
        dataset=DatasetMetadata(type="huggingface", name="d", huggingface_name="a/data"),
    )


async def test_hub_model_and_dataset_are_inspected(tmp_path: Path) -> None:
    response = await inspected(
        tmp_path,
        hub_job(),
        Repo("model", "a/model", MODEL),
        Repo("dataset", "a/data", DATA, readers=(TOKEN,), private=True),
    )

    assert rules(response) == {"FT-855": "WARNING", "FT-892": "WARNING"}
    assert list(response.findings[0].places) == ["row 2"]
    data = response.data
    assert (data.rows, data.used_rows, data.held_out_rows) == (3, 2, 1)
    assert (data.context_tokens, data.pad_token) == (256, "<|pad|>")
    assert "984,192 parameters" in response.memory.reasoning[0]


async def test_hub_repositories_are_inspected_at_the_recorded_commit(tmp_path: Path) -> None:
    before, now = "b" * 40, "c" * 40
    request = hub_job()
    request.model.commit = request.dataset.commit = before
    model = Repo("model", "a/model", {"config.json": b"{}"}, commit=now, earlier={before: MODEL})
    data = Repo("dataset", "a/data", {}, commit=now, earlier={before: DATA})

    seen = await inspected(tmp_path, request, model, data)

    assert seen.data.rows == 3
    assert "984,192 parameters" in seen.memory.reasoning[0]

    request.model.commit = request.dataset.commit = "d" * 40
    gone = await inspected(tmp_path / "other", request, model, data)
    told = [one for one in gone.findings if "no longer has the commit dddd" in one.description]
    assert [(one.severity, one.rule) for one in told] == [("ERROR", "FT-862"), ("ERROR", "FT-851")]


@pytest.mark.parametrize(
    ("status", "severity"),
    [(0, "ERROR"), (503, "NOTICE")],
)
async def test_unavailable_hub_files_are_reported(
    tmp_path: Path, status: int, severity: str
) -> None:
    repos = (
        [Repo("model", "a/model", status=status), Repo("dataset", "a/data", status=status)]
        if status
        else []
    )

    response = await inspected(tmp_path, hub_job(), *repos)

    assert rules(response)["FT-851"] == severity
    told = [one.severity for one in response.findings if one.rule == "FT-862"]
    assert told[0] == severity
    assert not response.HasField("data")
