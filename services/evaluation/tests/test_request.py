"""The rules about a request by itself."""

import json
from typing import Any

import pytest

from chassis.rpc.errors import InvalidArgument, Violations
from ft.proto.fine_tuning_studio_pb2 import (
    EvaluationJobModelCombination,
    StartEvaluationJobRequest,
)
from ft.tests.refused_settings import GENERATION, QUANTISATION
from services.evaluation.request import EvaluationRequest

GOOD: dict[str, Any] = {
    "type": "mlflow",
    "model_adapter_combinations": [("m", ""), ("m", "a")],
    "dataset_id": "d",
    "prompt_id": "p",
    "cpu": 2,
    "memory": 4,
}


def request(**fields: Any) -> EvaluationRequest:
    given = {**GOOD, **fields}
    given["model_adapter_combinations"] = [
        EvaluationJobModelCombination(base_model_id=model, adapter_id=adapter)
        for model, adapter in given["model_adapter_combinations"]
    ]
    return EvaluationRequest.from_message(StartEvaluationJobRequest(**given))


def wrong(**fields: Any) -> dict[str, str]:
    """The fields that break a rule, and what is said about them."""
    found = Violations()
    request(**fields).check(found)
    try:
        found.raise_if_any()
    except InvalidArgument as error:
        return {v.field: v.description for v in error.violations}
    return {}


def test_valid_request_breaks_no_rule() -> None:
    assert wrong() == {}


WRONG: dict[str, Any] = {
    "type": "guess",
    "model_adapter_combinations": [("m", "a"), ("", "a b")],
    "dataset_id": "",
    "prompt_id": " ",
    "cpu": 0,
    "gpu": -1,
    "memory": -1,
    "eval_dataset_fraction": 2,
    "model_bnb_config": "[]",
    "adapter_bnb_config": "{",
    "generation_config": "1",
    "comparison_adapter_id": "--x",
}


def test_faults_are_all_reported_at_once() -> None:
    found = wrong(**WRONG)
    assert set(found) == {
        "type",
        "model_adapter_combinations[1].base_model_id",
        "model_adapter_combinations[1].adapter_id",
        "dataset_id",
        "prompt_id",
        "cpu",
        "gpu",
        "memory",
        "eval_dataset_fraction",
        "model_bnb_config",
        "adapter_bnb_config",
        "generation_config",
        "comparison_adapter_id",
    }
    assert "mlflow, not 'guess'" in found["type"]


def test_settings_that_no_library_takes_are_reported() -> None:
    found = wrong(generation_config='{"temprature": 1}', model_bnb_config='{"load_in_4bit": 1}')
    assert "Did you mean temperature?" in found["generation_config"]
    assert "load_in_4bit must be true or false, not 1" in found["model_bnb_config"]


def test_evaluation_needs_a_model_or_an_adapter() -> None:
    assert list(wrong(model_adapter_combinations=[])) == ["model_adapter_combinations"]


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, float("nan")])
def test_invalid_shares_are_refused(share: float) -> None:
    assert list(wrong(eval_dataset_fraction=share)) == ["eval_dataset_fraction"]


def test_share_is_as_typed_or_a_tenth() -> None:
    assert request(eval_dataset_fraction=0.33).eval_dataset_fraction == 0.33
    assert request().eval_dataset_fraction == 0.1


def test_rows_are_those_held_out_for_the_first_or_named_adapter() -> None:
    assert request().comparison_adapter == "a"
    assert request(comparison_adapter_id="b").comparison_adapter == "b"
    assert request(model_adapter_combinations=[("m", "")]).comparison_adapter == ""


@pytest.mark.parametrize(("config", "said"), GENERATION)
def test_generation_config_that_would_fail_is_refused(config: dict[str, Any], said: str) -> None:
    assert said in wrong(generation_config=json.dumps(config))["generation_config"]


@pytest.mark.parametrize(("config", "said"), QUANTISATION)
def test_quantization_config_that_would_fail_is_refused(config: dict[str, Any], said: str) -> None:
    assert said in wrong(model_bnb_config=json.dumps(config))["model_bnb_config"]
