"""JOB_ARGUMENTS, as the studio writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.errors import ArgumentsError
from trainer.job.arguments import evaluate_arguments, fine_tune_arguments

FINE_TUNE = "--base_model_id m --dataset_id d --experimentid j --out_dir a/j --train_out_dir o/j"
EVALUATE = "--base_model_id m --dataset_id d --prompt_id p --result_dir r/j"


def fine_tune(more: str = "") -> object:
    return fine_tune_arguments({"JOB_ARGUMENTS": f"{FINE_TUNE} {more}"})


def test_omitted_flags_take_their_defaults() -> None:
    arguments = fine_tune()

    assert (arguments.dataset_fraction, arguments.train_test_split) == (1.0, 0.9)
    assert (arguments.dist_num, arguments.dist_gpu) == (1, -1)
    assert arguments.finetuning_framework_type == "legacy"
    assert (arguments.lora_config, arguments.auto_add_adapter) == ({}, False)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("--auto_add_adapter", True),
        ("--auto_add_adapter True", True),
        ("--auto_add_adapter false", False),
        ("--auto_add_adapter --adapter_name x", True),
    ],
)
def test_auto_add_adapter_is_a_flag_with_or_without_a_value(words: str, value: bool) -> None:
    assert fine_tune(words).auto_add_adapter is value


def test_flag_without_its_value_is_a_flag_left_out() -> None:
    text = f"{EVALUATE} --adapter_id --comparison_adapter_id --generation_config"
    arguments = evaluate_arguments({"JOB_ARGUMENTS": text})

    assert (arguments.adapter_id, arguments.comparison_adapter_id) == ("", "")
    assert arguments.generation_config == {}


def test_json_arrives_with_its_escaped_blanks() -> None:
    arguments = fine_tune('--lora_config {"r":8,"layers_pattern":"a\\u0020b"} --gpu_label_id -1')

    assert arguments.lora_config == {"r": 8, "layers_pattern": "a b"}


def test_unknown_flags_are_kept_aside() -> None:
    assert fine_tune("--future x").unknown == ["--future", "x"]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("--lora_config [1]", "--lora_config: not a JSON object"),
        ("--bnb_config {oops", "--bnb_config: not valid JSON"),
        ("--train_test_split 1.5", "--train_test_split: '1.5' is not a number above 0"),
        ("--dataset_fraction nan", "--dataset_fraction"),
        ("--dist_cpu many", "--dist_cpu: 'many' is not a whole number"),
        ("--auto_add_adapter maybe", "--auto_add_adapter"),
    ],
)
def test_wrong_value_is_refused_with_its_flag(words: str, wanted: str) -> None:
    with pytest.raises(ArgumentsError) as caught:
        fine_tune(words)
    assert wanted in str(caught.value)


def test_missing_flags_are_named() -> None:
    with pytest.raises(ArgumentsError, match="--base_model_id: required"):
        evaluate_arguments({})


@given(st.text())
def test_random_arguments_never_fail_otherwise(text: str) -> None:
    try:
        fine_tune_arguments({"JOB_ARGUMENTS": text})
    except ArgumentsError:
        return
    raise AssertionError("no arguments were missed")
