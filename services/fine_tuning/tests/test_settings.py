"""Settings that a job cannot work with are refused with field, value, rule and remedy."""

import json
from typing import Any

import pytest

from chassis.rpc.errors import Violations
from ft.tests.refused_settings import LORA, TRAINING
from services.fine_tuning.request import AliasedNumber, FineTuningRequest


def refused(gpu: int = 0, **configs: Any) -> list[tuple[str, str, str]]:
    found = Violations()
    FineTuningRequest(
        adapter_name="a",
        base_model_id="m",
        dataset_id="d",
        prompt_id="p",
        cpu=AliasedNumber(name="cpu", value=1, alias="num_cpu", alias_value=None),
        gpu=AliasedNumber(name="gpu", value=gpu, alias="num_gpu", alias_value=None),
        memory=AliasedNumber(name="memory", value=1, alias="num_memory", alias_value=None),
        **{name: json.dumps(config) for name, config in configs.items()},
    ).check(found)
    return [(one.field, one.rule, one.description) for one in found.found]


@pytest.mark.parametrize(("config", "said"), TRAINING)
def test_training_config_that_would_fail_is_refused(config: dict[str, Any], said: str) -> None:
    [(field, rule, description)] = refused(training_arguments_config=config)
    assert field == "training_arguments_config"
    assert rule in ("FT-807", "FT-620", "FT-622")
    assert said in description


@pytest.mark.parametrize(("config", "said"), LORA)
def test_adapter_config_that_would_fail_is_refused(config: dict[str, Any], said: str) -> None:
    [(field, rule, description)] = refused(lora_config=config)
    assert field == "lora_config"
    assert rule in ("FT-807", "FT-620")
    assert said in description


def test_hardware_settings_are_checked() -> None:
    assert refused(gpu=1, training_arguments_config={"ddp_backend": "nccl"}) == []
    [(_, rule, description)] = refused(gpu=1, training_arguments_config={"use_cpu": True})
    assert (rule, description) == ("FT-622", "use_cpu cannot be true for a job with GPUs")
    assert refused(training_arguments_config={"use_cpu": True}) == []


def test_quantization_is_of_one_kind() -> None:
    [(_, rule, description)] = refused(
        model_bnb_config={"load_in_4bit": True, "load_in_8bit": True}
    )
    assert (rule, description) == ("FT-620", "load_in_4bit and load_in_8bit cannot both be true")


@pytest.mark.parametrize(
    "config",
    [
        {"max_steps": -1, "seed": 2**32 - 1, "warmup_ratio": 1, "logging_steps": 0.5},
        {"lr_scheduler_type": "cosine_with_min_lr", "lr_scheduler_kwargs": {"min_lr_rate": 0.1}},
        {"lr_scheduler_type": "cosine", "lr_scheduler_kwargs": '{"num_cycles": 2}'},
        {"optim": "sgd", "optim_args": "momentum=0.9, nesterov=true"},
        {"eval_strategy": "steps", "max_length": None, "max_grad_norm": -0.0},
        {"output_dir": 1, "hub_model_id": "x"},
    ],
)
def test_valid_training_configs_are_accepted(config: dict[str, Any]) -> None:
    assert refused(training_arguments_config=config) == []
