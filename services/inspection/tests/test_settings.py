"""Settings that the base model or its rows have nothing for, as a job refuses them too."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from ft.proto.inspection_pb2 import InspectJobRequest, InspectJobResponse
from ft.tests.refused_settings import OF_MODEL_GENERATION, OF_MODEL_LORA, OF_MODEL_TRAINING
from services.inspection.tests.conftest import job

Inspect = Callable[[InspectJobRequest], Awaitable[InspectJobResponse]]
CASES = [
    *(("training_arguments", *case) for case in OF_MODEL_TRAINING),
    *(("lora_config", *case) for case in OF_MODEL_LORA),
    *(("generation_config", *case) for case in OF_MODEL_GENERATION),
]


@pytest.mark.parametrize(("kind", "config", "said"), CASES)
async def test_setting_that_fails_every_job_is_an_error(
    inspect: Inspect, project: Path, kind: str, config: dict[str, Any], said: str
) -> None:
    (project / "d.jsonl").write_text('{"a": "an order", "b": "yes"}\n' * 4)
    settings = {f"{kind}_json": config}
    if kind == "generation_config":
        settings["kind"] = "evaluation"

    response = await inspect(job("d.jsonl", train_test_split=0.5, **settings))

    found = [one for one in response.findings if one.rule in ("FT-874", "FT-895")]
    assert {one.severity for one in found} == {"ERROR"}
    assert any(said in one.description for one in found)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"warmup_steps": 6}, "warmup_steps 6 does not end within the 6 steps"),
        ({"max_steps": 201}, "max_steps 201 goes over the rows 100 times"),
        ({"max_steps": 200, "warmup_steps": 199}, ""),
        ({"warmup_steps": 6, "lr_scheduler_type": "constant"}, ""),
    ],
)
async def test_steps_that_do_not_fit_the_rows_are_reported(
    inspect: Inspect, project: Path, config: dict[str, Any], said: str
) -> None:
    (project / "d.jsonl").write_text('{"a": "an order"}\n' * 2)
    settings = {"per_device_train_batch_size": 1, **config}

    response = await inspect(job("d.jsonl", training_arguments_json=settings))

    found = [one.description for one in response.findings if one.rule == "FT-818"]
    assert len(found) == bool(said)
    assert all(said in one for one in found)
