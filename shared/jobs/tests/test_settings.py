"""Configs against the schemas of the libraries."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chassis.rpc.errors import Violations
from ft.cli.demo import starter
from jobs.requests.configs import TYPES
from jobs.requests.settings import SCHEMAS, check_settings

LIBRARY_FIELDS = [field for field in TYPES if field != "user_config"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def wrong(field: str, config: dict[str, Any]) -> list[tuple[str, str]]:
    found = Violations()
    check_settings(field, config, found)
    assert {violation.field for violation in found.found} <= {field}
    return [(violation.rule, violation.description) for violation in found.found]


@pytest.mark.parametrize("file", sorted(SCHEMAS.glob("*.json")), ids=lambda file: file.stem)
def test_schemas_are_valid_and_name_their_source(file: Any) -> None:
    schema = json.loads(file.read_text())
    Draft202012Validator.check_schema(schema)
    assert "Generated from" in schema["$comment"]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("field", LIBRARY_FIELDS)
def test_library_configs_are_all_checked_by_a_schema(field: str) -> None:
    [(rule, description)] = wrong(field, {"no_such_setting_anywhere": 1})
    assert (rule, description) == ("FT-806", "unknown setting no_such_setting_anywhere")
    assert wrong(field, {}) == []


@pytest.mark.parametrize(
    ("field", "config"),
    [
        ("lora_config", starter.LORA),
        ("training_arguments_config", starter.TRAINING),
        ("generation_config", starter.GENERATION),
        ("training_arguments_config", {"warmup_ratio": 0.1, "max_seq_length": None}),
        ("training_arguments_config", {"logging_dir": "x", "output_dir": 1}),
        ("training_arguments_config", {"lr_scheduler_kwargs": {"min_lr": 1e-6}}),
        ("training_arguments_config", {"lr_scheduler_kwargs": '{"min_lr": 1e-6}'}),
        ("training_arguments_config", {"learning_rate": 1, "max_steps": 8.0, "bf16": None}),
        ("lora_config", {"target_modules": ["q_proj"], "init_lora_weights": "pissa_niter_4"}),
        ("generation_config", {"eos_token_id": [1, 2], "top_p": 1, "early_stopping": "never"}),
        ("adapter_bnb_config", {"load_in_8bit": True, "quant_method": "bitsandbytes"}),
    ],
)
def test_valid_settings_are_accepted(field: str, config: dict[str, Any]) -> None:
    assert wrong(field, config) == []


@pytest.mark.parametrize(
    ("field", "config", "rule", "said"),
    [
        ("lora_config", {"lora_alfa": 8}, "FT-806", "lora_alfa. Did you mean lora_alpha?"),
        ("training_arguments_config", {"optimm": "x"}, "FT-806", "Did you mean optim?"),
        ("training_arguments_config", {"max_seq_len": 9}, "FT-806", "unknown setting max_seq_len"),
        ("model_bnb_config", {"load_in_4bits": True}, "FT-806", "Did you mean load_in_4bit?"),
        ("lora_config", {"r": "8"}, "FT-807", 'r must be a whole number from 1 to 16384, not "8"'),
        (
            "lora_config",
            {"r": True},
            "FT-807",
            "r must be a whole number from 1 to 16384, not true",
        ),
        ("lora_config", {"r": 8.5}, "FT-807", "r must be a whole number from 1 to 16384, not 8.5"),
        (
            "lora_config",
            {"r": None},
            "FT-807",
            "r must be a whole number from 1 to 16384, not null",
        ),
        ("lora_config", {"bias": "some"}, "FT-807", "must be one of none, all, lora_only, not"),
        (
            "lora_config",
            {"target_modules": [1]},
            "FT-807",
            "a list that is not empty, each of it a text",
        ),
        ("training_arguments_config", {"optim": "adam"}, "FT-807", "one of adamw_torch, "),
        ("training_arguments_config", {"weight_decay": "2e-4"}, "FT-807", "must be a number"),
        ("training_arguments_config", {"bf16": "yes"}, "FT-807", "true or false or null"),
        ("training_arguments_config", {"evaluation_strategy": 1}, "FT-807", "one of no, steps"),
        (
            "generation_config",
            {"max_new_tokens": 0},
            "FT-807",
            "a whole number from 1 to 1000000 or null, not 0",
        ),
        ("generation_config", {"num_beams": 0}, "FT-807", "a whole number from 1 to 16 or null"),
        (
            "generation_config",
            {"top_k": [5]},
            "FT-807",
            "top_k must be a whole number of at least 0 or null",
        ),
        ("model_bnb_config", {"bnb_4bit_quant_type": "nf8"}, "FT-807", "one of fp4, nf4"),
    ],
)
def test_invalid_settings_are_reported(
    field: str, config: dict[str, Any], rule: str, said: str
) -> None:
    [(broken, description)] = wrong(field, config)
    assert broken == rule
    assert said in description


def test_faults_are_all_reported_at_once() -> None:
    config = {"lora_alfa": 8, "r": "8", "bias": 1, "lora_dropout": 0, "q_lora": {}}
    assert sorted(rule for rule, _ in wrong("lora_config", config)) == [
        "FT-806",
        "FT-806",
        "FT-807",
        "FT-807",
    ]


def test_secret_is_not_repeated() -> None:
    [(_, description)] = wrong("training_arguments_config", {"hub_token": ["hf_secret"]})
    assert description.startswith("hub_token must be null, not this: a config is kept")
    assert "secret" not in description


def test_long_value_is_cut() -> None:
    [(_, description)] = wrong("lora_config", {"r": "x" * 60_000})
    assert len(description) < 200


@given(st.sampled_from(LIBRARY_FIELDS), st.data())
def test_whatever_a_config_holds_there_is_something_to_say(field: str, data: Any) -> None:
    known = json.loads((SCHEMAS / f"{TYPES[field]}.json").read_text())["properties"]
    names = st.sampled_from(sorted(known)) | st.text()
    config = data.draw(st.dictionaries(names, JSON, max_size=5))
    for rule, description in wrong(field, config):
        assert rule in {"FT-806", "FT-807"}
        assert any(name in description for name in config)


@pytest.mark.parametrize(
    ("field", "config", "said"),
    [
        ("lora_config", {"r": 0}, "r must be a whole number from 1 to 16384, not 0"),
        (
            "lora_config",
            {"lora_dropout": 5},
            "lora_dropout must be a number from 0 to 0.99, not 5: "
            "beyond it there is nothing left to learn from",
        ),
        (
            "training_arguments_config",
            {"per_device_train_batch_size": 0},
            "per_device_train_batch_size must be a whole number of at least 1, not 0",
        ),
        (
            "training_arguments_config",
            {"max_length": -5},
            "max_length must be a whole number of at least 2 or null, not -5: each token is "
            "learnt from those before it, so one alone teaches nothing",
        ),
    ],
)
def test_numbers_that_would_fail_a_job_are_reported(
    field: str, config: dict[str, object], said: str
) -> None:
    found = Violations()
    check_settings(field, config, found)
    assert [v.description for v in found.found] == [said]
