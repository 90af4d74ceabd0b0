"""A service that inspects jobs of a project of the test's own."""

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chassis import domains
from chassis.testing.services import services, settings_in
from ft.proto.fine_tuning_studio_pb2 import DatasetMetadata, ModelMetadata, PromptMetadata
from ft.proto.inspection_pb2 import InspectJobRequest, InspectJobResponse
from tests.processes import starts_processes

STARTER = Path(__file__).parents[3] / "shared/trainer/starter"
KINDS = {".csv": "project_csv", ".json": "project_json", ".jsonl": "project_jsonl", "": "project"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project directory with the starter model in it."""
    folder = tmp_path / "project"
    shutil.copytree(STARTER / "model", folder / "model")
    return folder


def job(location: str, template: str = "{a}", **changes: Any) -> InspectJobRequest:
    """A fine-tuning job over that data; configs may be given as objects."""
    texts = {
        name: json.dumps(value)
        for name, value in changes.items()
        if name.endswith("_json") and isinstance(value, dict)
    }
    values = {
        "kind": "fine_tuning",
        "model": ModelMetadata(type="project", name="m", location="model"),
        "dataset": DatasetMetadata(type=KINDS[Path(location).suffix], name="d", location=location),
        "prompt": PromptMetadata(
            prompt_template=template, input_template=template, completion_template=""
        ),
        "dataset_fraction": 1.0,
        "train_test_split": 1.0,
        "eval_dataset_fraction": 1.0,
        "memory_gib": 4,
        "num_workers": 1,
    }
    return InspectJobRequest(**{**values, **changes, **texts})


@pytest.fixture
@starts_processes
async def inspect(
    project: Path, tmp_path: Path
) -> AsyncIterator[Callable[[InspectJobRequest], Awaitable[InspectJobResponse]]]:
    """Sends a request to the service."""
    async with services(tmp_path, "inspection"):
        peer = domains.inspection(settings_in(tmp_path, "test"))

        async def ask(request: InspectJobRequest) -> InspectJobResponse:
            return await peer(lambda stub: stub.InspectJob, request)

        yield ask
        await peer.close()


def rules(response: InspectJobResponse) -> dict[str, str]:
    """The severity of each rule that there is a finding about."""
    return {finding.rule: finding.severity for finding in response.findings}
