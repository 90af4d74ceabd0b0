"""The rules about a request by itself, and what becomes of one that keeps them."""

import json
from typing import Any

import pytest

from chassis.rpc.errors import Violation, Violations
from ft.proto.fine_tuning_studio_pb2 import StartFineTuningJobRequest
from ft.proto.fine_tuning_studio_types_pb2 import RetryPolicy
from jobs.execution.dispatch import JobSpec
from jobs.requests.configs import JobConfig
from services.fine_tuning import plan
from services.fine_tuning.convert import METADATA
from services.fine_tuning.request import FineTuningRequest

GOOD: dict[str, Any] = {
    "adapter_name": "intents-1",
    "base_model_id": "m",
    "dataset_id": "d",
    "prompt_id": "p",
    "cpu": 2,
    "gpu": 0,
    "memory": 4,
}
CONFIGS = {
    "training_arguments_config": JobConfig("t", '{"learning_rate": 0.5, "num_train_epochs": 7}'),
    "lora_config": JobConfig("l", '{"r": 16, "target_modules": ["q proj"]}'),
}


def request(**fields: Any) -> FineTuningRequest:
    given = {name: value for name, value in {**GOOD, **fields}.items() if value is not None}
    return FineTuningRequest.from_message(StartFineTuningJobRequest(**given))


def violations(**fields: Any) -> list[Violation]:
    found = Violations()
    request(**fields).check(found)
    return found.found


def wrong(**fields: Any) -> dict[str, str]:
    """The fields that break a rule, and what is said about them."""
    return {v.field: v.description for v in violations(**fields)}


def test_valid_request_breaks_no_rule() -> None:
    assert wrong() == {}


WRONG: dict[str, Any] = {
    "adapter_name": "no blanks",
    "base_model_id": "",
    "dataset_id": " ",
    "prompt_id": "",
    "num_workers": 0,
    "num_epochs": 0,
    "learning_rate": -1,
    "cpu": 0,
    "gpu": -1,
    "memory": 0,
    "train_test_split": 0,
    "dataset_fraction": 1.5,
    "lora_config": "[]",
    "model_bnb_config": "{",
    "adapter_bnb_config": "null",
    "training_arguments_config": "1",
    "user_config": "x",
    "framework_type": "megatron",
}


def test_faults_are_all_reported_at_once() -> None:
    found = wrong(**WRONG)
    assert set(found) == WRONG.keys()
    assert "'no blanks'" in found["adapter_name"]
    assert "legacy, axolotl, not 'megatron'" in found["framework_type"]
    assert "1.5" in found["dataset_fraction"]


@pytest.mark.parametrize("name", ["", "a b", "a_b", "ä", "a.b", "a/b", "-a", "a\n"])
def test_invalid_adapter_names_are_refused(name: str) -> None:
    assert list(wrong(adapter_name=name)) == ["adapter_name"]


@pytest.mark.parametrize("name", ["a", "A-1", "9"])
def test_valid_adapter_names_are_accepted(name: str) -> None:
    assert wrong(adapter_name=name) == {}


@pytest.mark.parametrize("field", ["base_model_id", "dataset_id", "prompt_id", "output_dir"])
@pytest.mark.parametrize("value", ["my prompt", "--flag"])
def test_argument_that_no_script_would_get_unchanged_is_refused(field: str, value: str) -> None:
    assert list(wrong(**{field: value})) == [field]


@pytest.mark.parametrize("field", ["dataset_fraction", "train_test_split"])
def test_shares_are_checked(field: str) -> None:
    for value in (0.0, -0.1, 1.01, float("nan")):
        assert list(wrong(**{field: value})) == [field]
    for value in (0.001, 1.0):
        assert wrong(**{field: value}) == {}


@pytest.mark.parametrize("value", [0.0, float("inf"), float("nan")])
def test_invalid_learning_rates_are_refused(value: float) -> None:
    assert list(wrong(learning_rate=value)) == ["learning_rate"]


@pytest.mark.parametrize("name", ["num_train_epochs", "learning_rate"])
@pytest.mark.parametrize("value", ["3", None, 0, -1, True, []])
@pytest.mark.parametrize("script", ["", "train.py"])
def test_recorded_training_settings_are_numbers(name: str, value: object, script: str) -> None:
    config = json.dumps({name: value})
    [found] = violations(training_arguments_config=config, user_script=script)
    assert found.field == "training_arguments_config"
    assert name in found.description


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1e999}', '{"a": 1, "a": 2}', "[" * 9999])
def test_config_that_could_not_be_stored_is_refused_with_the_rest(text: str) -> None:
    assert set(wrong(user_config=text, dataset_id="")) == {"user_config", "dataset_id"}


def test_settings_that_no_library_takes_are_reported_with_the_rest() -> None:
    found = violations(
        dataset_id="",
        lora_config='{"lora_alfa": 8, "r": "16"}',
        training_arguments_config='{"optim": "adam"}',
        model_bnb_config='{"load_in_4bits": true}',
        adapter_bnb_config='{"load_in_8bit": 1}',
    )
    assert {(v.field, v.rule) for v in found} == {
        ("dataset_id", "FT-001"),
        ("lora_config", "FT-806"),
        ("lora_config", "FT-807"),
        ("training_arguments_config", "FT-807"),
        ("model_bnb_config", "FT-806"),
        ("adapter_bnb_config", "FT-807"),
    }


def test_contradicting_settings_are_reported_with_the_rest() -> None:
    settings = '{"early_stopping_patience": 3, "padding_free": true, "fp16": 1}'
    found = violations(training_arguments_config=settings)
    assert [violation.rule for violation in found] == ["FT-807", "FT-620", "FT-620"]
    assert "early_stopping_patience needs evaluations" in found[1].description
    assert violations(training_arguments_config=settings, user_script="train.py") == []
    [head] = violations(lora_config='{"target_modules": ["q_proj", "lm_head"]}')
    assert (head.field, head.rule) == ("lora_config", "FT-620")
    fits = '{"early_stopping_patience": 3, "eval_strategy": "epoch"}'
    assert violations(training_arguments_config=fits) == []


def test_users_script_has_its_own_settings() -> None:
    configs = {"lora_config": '{"rank": 4}', "user_config": '{"any": "thing"}'}
    assert wrong(**configs, user_script="train.py") == {}
    assert list(wrong(**configs)) == ["lora_config"]


def test_axolotl_needs_a_config_and_no_prompt() -> None:
    assert list(wrong(framework_type="axolotl", prompt_id="")) == ["axolotl_config_id"]
    assert wrong(framework_type="axolotl", prompt_id="", axolotl_config_id="c") == {}


def test_unset_value_takes_its_default() -> None:
    plain = request()
    assert (plain.num_workers, plain.dataset_fraction, plain.train_test_split) == (1, 1.0, 0.9)
    assert (plain.num_epochs, plain.learning_rate, plain.gpu_label_id) == (None, None, None)
    assert plain.framework_type == "legacy"


@pytest.mark.parametrize(
    "field", ["num_workers", "num_epochs", "learning_rate", "dataset_fraction", "train_test_split"]
)
def test_zero_differs_from_unset(field: str) -> None:
    assert list(wrong(**{field: 0})) == [field]


@pytest.mark.parametrize("name", ["cpu", "gpu", "memory"])
def test_resources_have_two_names(name: str) -> None:
    alias = f"num_{name}"
    assert wrong(**{name: None, alias: 3}) == {}
    assert wrong(**{name: 3, alias: 3}) == {}
    found = wrong(**{name: 3, alias: 4})
    assert found == {alias: f"is 4, but {name} is 3; set one of them"}
    record = plan.record(request(**{name: None, alias: 3}), CONFIGS, "out")
    assert getattr(record, alias) == 3


def test_cpu_and_memory_are_required_and_gpu_is_not() -> None:
    assert set(wrong(cpu=None, gpu=None, memory=None)) == {"cpu", "memory"}


def flags_of(arguments: str) -> dict[str, str]:
    words = arguments.split(" ")
    names = [n for n, word in enumerate(words) if word.startswith("--")]
    ends = [*names[1:], len(words)]
    return {words[n][2:]: " ".join(words[n + 1 : end]) for n, end in zip(names, ends, strict=True)}


def planned(configs: dict[str, JobConfig] = CONFIGS, **fields: Any) -> Any:
    job = plan.record(request(**fields), configs, "adapters/")
    return job, JobSpec(**json.loads(job.spec or "{}"))


def test_flags_of_a_plain_job_are_written() -> None:
    job, spec = planned(learning_rate=2e-4, dataset_fraction=0.1)
    flags = flags_of(spec.arguments)
    assert json.loads(flags.pop("lora_config")) == {"r": 16, "target_modules": ["q proj"]}
    training = json.loads(flags.pop("training_arguments_config"))
    assert training == {"learning_rate": 2e-4, "num_train_epochs": 7}
    assert flags == {
        "base_model_id": "m",
        "dataset_id": "d",
        "prompt_id": "p",
        "experimentid": job.id,
        "out_dir": f"adapters/{job.id}",
        "train_out_dir": f"outputs/{job.id}",
        "adapter_name": "intents-1",
        "finetuning_framework_type": "legacy",
        "train_test_split": "0.9",
        "dataset_fraction": "0.1",
        "dist_num": "1",
        "dist_cpu": "2",
        "dist_mem": "4",
        "dist_gpu": "0",
    }
    assert (spec.template, spec.script) == ("Accel_Finetuning_Base_Job", "")
    assert (spec.cpu, spec.memory, spec.gpu) == (2, 4, 0)


def test_flags_of_optional_settings_are_written() -> None:
    configs = {
        **CONFIGS,
        "model_bnb_config": JobConfig("b", '{"load_in_4bit": true}'),
        "user_config": JobConfig("u", "{}"),
    }
    job, spec = planned(
        configs, auto_add_adapter=True, gpu=1, gpu_label_id=3, user_config_id="older"
    )
    flags = flags_of(spec.arguments)
    assert json.loads(flags["bnb_config"]) == {"load_in_4bit": True}
    assert (flags["auto_add_adapter"], flags["gpu_label_id"], flags["dist_gpu"]) == ("", "3", "1")
    assert flags["user_config_id"] == job.user_config_id == "u"
    assert spec.gpu_label_id == 3


def test_quantization_of_the_adapter_is_the_default_for_the_model() -> None:
    configs = {**CONFIGS, "adapter_bnb_config": JobConfig("a", '{"load_in_8bit": true}')}
    _, spec = planned(configs)
    assert json.loads(flags_of(spec.arguments)["bnb_config"]) == {"load_in_8bit": True}


def test_request_overrides_config_and_config_overrides_default() -> None:
    silent = {**CONFIGS, "training_arguments_config": JobConfig("t", '{"optim": "adamw_torch"}')}
    for configs, fields, expected in (
        (CONFIGS, {"num_epochs": 2, "learning_rate": 0.25}, (2, 0.25)),
        (CONFIGS, {}, (7, 0.5)),
        (silent, {}, (1, 2e-4)),
    ):
        job, spec = planned(configs, **fields)
        training = json.loads(flags_of(spec.arguments)["training_arguments_config"])
        assert (training["num_train_epochs"], training["learning_rate"]) == expected
        assert (job.num_epochs, job.learning_rate) == expected


def test_part_of_an_epoch_is_not_recorded_as_zero() -> None:
    configs = {
        **CONFIGS,
        "training_arguments_config": JobConfig("t", '{"num_train_epochs": 0.5}'),
    }
    job, spec = planned(configs)
    assert job.num_epochs == 1
    training = json.loads(flags_of(spec.arguments)["training_arguments_config"])
    assert training["num_train_epochs"] == 0.5


def test_record_explains_itself() -> None:
    job, _ = planned(gpu_label_id=-1)
    shown = METADATA.of_record(job)
    assert shown.lora_config == CONFIGS["lora_config"].text
    assert shown.training_arguments_config == CONFIGS["training_arguments_config"].text
    assert (shown.num_cpu, shown.num_gpu, shown.num_memory) == (2, 0, 4)
    assert shown.gpu_label_id == -1
    assert (shown.status.state, shown.status.started_at) == ("QUEUED", "")
    assert job.config_ids() == ["t", "l"]


def test_retry_policy_is_checked_and_kept_with_the_job() -> None:
    policy = RetryPolicy(max_attempts=0, on=["LOST", "OUT_OF_MEMORY"])
    found = {v.field: v.rule for v in violations(retry=policy, cpu=0)}
    assert found == {"cpu": "FT-802", "retry.max_attempts": "FT-813", "retry.on[1]": "FT-814"}
    assert wrong(retry=RetryPolicy()) == {"retry.max_attempts": "must be from 1 to 10, not 0"}
    job, _ = planned(retry=RetryPolicy(max_attempts=3))
    kept = METADATA.of_record(job).status.retry
    assert (kept.max_attempts, kept.on) == (3, ["CRASHED", "LOST", "TIMED_OUT"])
    job, _ = planned()
    assert not METADATA.of_record(job).status.HasField("retry")
