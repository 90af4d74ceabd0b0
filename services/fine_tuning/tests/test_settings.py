"""Settings that a job cannot work with are refused with field, value, rule and remedy."""

import json
from typing import Any

import pytest

from chassis.errors import Violations
from services.fine_tuning.request import JobRequest, Resources


def refused(gpu: int = 0, **configs: Any) -> list[tuple[str, str, str]]:
    found = Violations()
    JobRequest(
        adapter_name="a",
        base_model_id="m",
        dataset_id="d",
        prompt_id="p",
        cpu=Resources(name="cpu", value=1, alias="num_cpu", alias_value=None),
        gpu=Resources(name="gpu", value=gpu, alias="num_gpu", alias_value=None),
        memory=Resources(name="memory", value=1, alias="num_memory", alias_value=None),
        configs={name: json.dumps(config) for name, config in configs.items()},
    ).check(found)
    return [(one.field, one.rule, one.description) for one in found.found]


TRAINING = [
    ({"max_steps": 0}, "max_steps must be -1 or a whole number from 1 on, not 0"),
    ({"max_steps": -5}, "max_steps"),
    ({"logging_steps": 0}, "logging_steps must be a whole number from 1 on or a number above 0"),
    ({"logging_steps": 2.5}, "logging_steps"),
    ({"seed": -1}, "seed must be a whole number from 0"),
    ({"seed": 2**32}, "seed"),
    ({"data_seed": 2**63}, "data_seed"),
    ({"adam_beta1": 1.5}, "adam_beta1 must be a number from 0 and below 1, not 1.5"),
    ({"adam_beta2": 1}, "adam_beta2"),
    ({"adam_epsilon": 0}, "adam_epsilon"),
    ({"dataloader_num_workers": -1}, "dataloader_num_workers must be a whole number from 0 to 64"),
    ({"warmup_ratio": 1.5}, "warmup_ratio must be a number from 0 to 1, not 1.5"),
    ({"warmup_steps": 1.5}, "warmup_steps"),
    ({"lr_scheduler_type": "cosine_with_min_lr"}, "needs one of min_lr and min_lr_rate"),
    ({"lr_scheduler_type": "warmup_stable_decay"}, "needs num_decay_steps"),
    ({"lr_scheduler_kwargs": {"min_lr": 0.1}}, "min_lr is not known: lr_scheduler_type linear"),
    ({"lr_scheduler_kwargs": "x"}, "lr_scheduler_kwargs must be an object"),
    ({"lr_scheduler_type": "polynomial", "learning_rate": 1e-8}, "must be below learning_rate"),
    ({"dataloader_prefetch_factor": 2}, "needs dataloader_num_workers above 0"),
    ({"dataloader_persistent_workers": True}, "needs dataloader_num_workers above 0"),
    ({"optim": "galore_adamw"}, "other optimisers need packages or hardware"),
    ({"optim_args": "rank=8"}, "optim_args is for optim sgd, adagrad, rmsprop"),
    ({"deepspeed": {"zero": 1}}, "deepspeed must be null"),
    ({"fsdp": "full_shard"}, "fsdp"),
    ({"use_liger_kernel": True}, "use_liger_kernel must be false, not true: where jobs run"),
    ({"push_to_hub": True}, "push_to_hub must be false"),
    ({"report_to": ["wandb"]}, "report_to"),
    ({"eos_token": "<x>"}, "the tokenizer's own token is used"),
    ({"dataset_kwargs": {"skip_prepare_dataset": True}}, "the studio prepares the rows"),
    ({"resume_from_checkpoint": "x"}, "resume the job"),
    ({"trust_remote_code": True}, "code that comes with a model is not run"),
    ({"torch_compile_backend": "tensorrt"}, "torch_compile_backend"),
    ({"gradient_checkpointing_kwargs": {"context_fn": 1}}, "must be an object of use_reentrant"),
    ({"ddp_backend": "nccl"}, "ddp_backend nccl needs GPUs"),
    ({"learning_rate": 1e-300}, "too small to change a weight"),
    ({"num_train_epochs": 1e300}, "num_train_epochs"),
    ({"per_device_train_batch_size": 2**63}, "per_device_train_batch_size"),
    ({"per_device_train_batch_size": True}, "per_device_train_batch_size"),
    ({"max_steps": "5"}, "max_steps"),
]
LORA = [
    ({"target_modules": "("}, "must be a list of names or a regular expression"),
    ({"target_modules": []}, "target_modules must be a list that is not empty"),
    ({"task_type": "SEQ_CLS"}, "the studio trains causal language models"),
    ({"peft_type": "IA3"}, "the studio trains LoRA adapters"),
    ({"trainable_token_indices": []}, "trainable_token_indices"),
    ({"trainable_token_indices": [1, 1]}, "each id of a token once"),
    ({"init_lora_weights": "loftq"}, "others need data or libraries"),
    ({"loftq_config": {"loftq_bits": 4}}, "quantised by bnb_config alone"),
    ({"lora_alpha": 0}, "0 would leave the model as it is"),
    ({"lora_dropout": 1}, "lora_dropout must be a number from 0 and below 1, not 1"),
    ({"inference_mode": True}, "nothing would be trained"),
    ({"layers_to_transform": [0]}, "needs target_modules that is a list"),
    ({"layers_pattern": "h"}, "no effect without layers_to_transform"),
    ({"rank_pattern": {"q_proj": 0}}, "rank_pattern"),
    ({"rank_pattern": {"(": 2}}, "no regular expression"),
    ({"alpha_pattern": {"(": 2}}, "no regular expression"),
    ({"lora_bias": True, "use_dora": True}, "cannot both be true"),
]


@pytest.mark.parametrize(("config", "said"), TRAINING)
def test_a_training_that_would_fail(config: dict[str, Any], said: str) -> None:
    [(field, rule, description)] = refused(training_arguments_config=config)
    assert field == "training_arguments_config"
    assert rule in ("FT-807", "FT-620", "FT-622")
    assert said in description


@pytest.mark.parametrize(("config", "said"), LORA)
def test_an_adapter_that_would_fail(config: dict[str, Any], said: str) -> None:
    [(field, rule, description)] = refused(lora_config=config)
    assert field == "lora_config"
    assert rule in ("FT-807", "FT-620")
    assert said in description


def test_what_hardware_decides() -> None:
    assert refused(gpu=1, training_arguments_config={"ddp_backend": "nccl"}) == []
    [(_, rule, description)] = refused(gpu=1, training_arguments_config={"use_cpu": True})
    assert (rule, description) == ("FT-622", "use_cpu cannot be true for a job with GPUs")
    assert refused(training_arguments_config={"use_cpu": True}) == []


def test_a_quantisation_is_of_one_kind() -> None:
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
def test_what_a_training_can_be_asked_for(config: dict[str, Any]) -> None:
    assert refused(training_arguments_config=config) == []
