"""Configs sent to a studio: Validate and Start say the same of a request."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from ft import api
from ft.client import FineTuningStudioClient, StudioError
from tests.e2e.conftest import Studio
from tests.fuzz import configs
from tests.fuzz.test_configs import NAMES

EXAMPLES = int(os.environ.get("FTS_CONFIG_EXAMPLES", "160")) // 20
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
)


class Sender:
    """A client, and what its requests refer to."""

    def __init__(self, client: FineTuningStudioClient) -> None:
        self.client = client
        model = api.AddModelRequest(type="project", location="starter/model", name="sent")
        self.model = client.AddModel(model).model.id
        rows = api.AddDatasetRequest(type="project_csv", location="rows.csv", name="sent")
        self.dataset = client.AddDataset(rows).dataset.id
        prompt = api.PromptMetadata(
            id="p-sent",
            name="sent",
            dataset_id=self.dataset,
            prompt_template="{customer} {action}",
            input_template="{customer}",
            completion_template=" {action}",
        )
        client.AddPrompt(api.AddPromptRequest(prompt=prompt))

    def training(self, asked: dict[str, Any]) -> api.StartFineTuningJobRequest:
        return api.StartFineTuningJobRequest(
            adapter_name="tuned",
            base_model_id=self.model,
            dataset_id=self.dataset,
            prompt_id="p-sent",
            cpu=1,
            memory=1,
            train_test_split=1,
            **{NAMES[kind]: json.dumps(config) for kind, config in asked.items()},
        )

    def evaluation(self, asked: dict[str, Any]) -> api.StartEvaluationJobRequest:
        return api.StartEvaluationJobRequest(
            type="mlflow",
            model_adapter_combinations=[{"base_model_id": self.model}],
            dataset_id=self.dataset,
            prompt_id="p-sent",
            cpu=1,
            memory=1,
            generation_config=json.dumps(asked["generation"]),
        )


@pytest.fixture(scope="module")
def sender(fuzzed: Studio) -> Iterator[Sender]:
    with fuzzed.client() as client:
        yield Sender(client)


OF_REQUEST = {"FT-806", "FT-807", "FT-817", "FT-620", "FT-622"}
"""Rules about settings alone, which a start holds a request against too."""


def require_same(found: Any, start: Any, request: Any) -> None:
    """A start refuses whatever Validate has found wrong with the request by itself."""
    wrong = {one.rule for one in found.findings if one.severity == "ERROR"}
    assert found.valid == (not wrong)
    of_request = wrong & OF_REQUEST
    if not of_request:
        return
    with pytest.raises(StudioError) as refused:
        start(request)
    assert of_request <= {one.rule for one in refused.value.violations}


@FUZZ
@given(asked=configs.trainings())
def test_training_config_is_answered(asked: dict[str, Any], sender: Sender) -> None:
    request = sender.training(asked)
    found = sender.client.ValidateFineTuningJob(
        api.ValidateFineTuningJobRequest(request=request), timeout=60
    )
    require_same(found, sender.client.StartFineTuningJob, request)


@FUZZ
@given(asked=configs.generations())
def test_generation_config_is_answered(asked: dict[str, Any], sender: Sender) -> None:
    request = sender.evaluation(asked)
    found = sender.client.ValidateEvaluationJob(
        api.ValidateEvaluationJobRequest(request=request), timeout=60
    )
    require_same(found, sender.client.StartEvaluationJob, request)
