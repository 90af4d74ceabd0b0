"""Axolotl configs against Axolotl's own schema."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jobs.requests.settings import SCHEMAS
from services.fine_tuning import axolotl, axolotl_settings
from services.fine_tuning.axolotl_settings import faults
from trainer.axolotl.resolve import NEVER_NULL

ITS_OWN_EXAMPLE = """
base_model: google/gemma-3-4b-it
load_in_4bit: true
ddp_find_unused_parameters: true
chat_template: gemma3
eot_tokens: [<end_of_turn>]
datasets:
  - path: cgato/SlimOrcaDedupCleaned
    type: chat_template
    field_messages: conversations
    message_property_mappings: {role: from, content: value}
dataset_prepared_path: last_run_prepared
val_set_size: 0.01
unfrozen_parameters: ['^model\\.language_model\\..*', '^lm_head\\..*']
adapter: qlora
lora_model_dir:
sequence_len: 2048
sample_packing: true
lora_dropout: 0
lora_target_linear: true
wandb_project:
optimizer: adamw_bnb_8bit
lr_scheduler: cosine
learning_rate: 2e-4
bf16: auto
fp16:
gradient_checkpointing: true
gradient_checkpointing_kwargs: {use_reentrant: false}
flash_optimum:
eager_attention:
warmup_ratio: 0.1
weight_decay: 0.0
special_tokens:
"""
SCHEMA = json.loads((SCHEMAS / "axolotl.json").read_text())
OF_AXOLOTL = SCHEMA["title"]
NAMES = sorted(SCHEMA["properties"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text() | st.integers() | st.booleans(), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "text",
    [
        ITS_OWN_EXAMPLE,
        "{lora_r: '8', micro_batch_size: 2.0, num_epochs: 1e0, lora_dropout: 1e-1}",
        "{load_in_8bit: 'yes', group_by_length: 1, train_on_inputs: 'OFF', weight_decay: .inf}",
        "{model_type: a, type_of_model: b, fsdp_config: {fsdp_offload_params: true, version: 2}}",
        "{datasets: [{path: a, type: {field_input: x}}, {path: b, roles: {user: [human]}}]}",
        "{datasets: [{type: alpaca, step_separator: x}], lora_target_modules: [a, b]}",
        "{liger_rope: true, plugins: [axolotl.integrations.liger.LigerPlugin]}",
        "{setting_of_a_plugin: 1, plugins: [my.Plugin]}",
        "{lr_scheduler_kwargs: {whatever: [1, {}]}, image_size: [1, 2]}",
        "{eot_tokens: !!set {a, b}, chat_template: !!binary aGk=}",
        "{never: }",
        "{base_model: , output_dir: , num_epochs: , datasets: [{path: , type: alpaca, split: }]}",
        "just a text",
        "{: [",
        "",
    ],
)
def test_valid_axolotl_config_has_no_fault(text: str) -> None:
    assert faults(axolotl.parsed(text)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lora_r: eight", 'lora_r must be a whole number, not "eight", for {}'),
        ("lora_r: 1.5", "lora_r must be a whole number, not 1.5, for {}"),
        ("num_epochs: ''", 'num_epochs must be a number, not "", for {}'),
        ("trl: {use_vllm: }", "trl.use_vllm must be true or false, not null, for {}"),
        ("load_in_8bit: 2", "load_in_8bit must be true or false, not 2, for {}"),
        ("learning_rte: 1", "learning_rte is not known to {}. Did you mean learning_rate?"),
        ("zzzzzz: 1", "zzzzzz is not known to {}"),
        (
            "datasets: [{type: alpaca}, {type: a, shards: two}]",
            'datasets[1].shards must be a whole number, not "two", for {}',
        ),
        (
            "datasets: [{typ: alpaca}]",
            "datasets[0].typ is not known to {}. Did you mean type?",
        ),
        ("datasets: alpaca", 'datasets must be a list, not "alpaca", for {}'),
        (
            "merge_method: best",
            'merge_method must be one of legacy, memory_efficient, null, not "best", for {}',
        ),
        (
            "special_tokens: {pad_tokn: x}",
            "special_tokens.pad_tokn is not known to {}. Did you mean pad_token?",
        ),
        ("image_size: [1, two]", 'image_size[1] must be a whole number, not "two", for {}'),
        ("comet_api_key: 12345", "comet_api_key must be a text, not this, for {}"),
        ("1: 2", "1 is not known to {}"),
    ],
)
def test_invalid_axolotl_value_is_reported_with_its_path(text: str, said: str) -> None:
    assert faults(axolotl.parsed(text)) == [said.format(OF_AXOLOTL)]


@pytest.mark.parametrize("name", NAMES)
def test_null_is_as_good_as_not_set(name: str) -> None:
    assert faults({name: None}) == []


def test_null_that_axolotl_does_not_take_is_left_out() -> None:
    refused = [name for name in NAMES if not takes_null(SCHEMA["properties"][name])]
    assert sorted(NEVER_NULL) == refused


def takes_null(schema: dict[str, Any]) -> bool:
    if "$ref" in schema:
        return takes_null(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return any(map(takes_null, schema["anyOf"]))
    if "enum" in schema:
        return None in schema["enum"]
    kinds = schema.get("type", ["null"])
    return "null" in ([kinds] if isinstance(kinds, str) else kinds)


def test_faults_are_reported_at_once_up_to_a_limit() -> None:
    assert (
        len(
            faults(
                axolotl.parsed("{lora_r: x, lora_alpha: y, learning_rte: 1, datasets: [{typ: 1}]}")
            )
        )
        == 4
    )
    many = faults({f"unknown {number}": 1 for number in range(1000)})
    assert len(many) == axolotl_settings.MOST + 1
    assert many[-1] == "there are further faults"


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
def test_random_config_is_checked_without_failing(config: dict[str, object]) -> None:
    for fault in faults(axolotl.parsed(yaml.safe_dump(config))):
        assert any(fault.startswith(name) for name in config)
        assert OF_AXOLOTL in fault
