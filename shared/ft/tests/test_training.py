"""What contradicts what among the settings of a training."""

from typing import Any

import pytest

from ft.configs import training

STOPS = {"early_stopping_patience": 2, "eval_strategy": "steps"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"early_stopping_patience": 1}, "set eval_strategy steps or epoch"),
        ({"early_stopping_patience": 1, "eval_strategy": "no"}, "early_stopping_patience needs"),
        ({"load_best_model_at_end": True}, "load_best_model_at_end needs"),
        ({"save_strategy": "best"}, "save_strategy best needs"),
        ({"eval_on_start": True}, "eval_on_start needs"),
        ({"lr_scheduler_type": "reduce_lr_on_plateau"}, "reduce_lr_on_plateau needs"),
        ({"lr_scheduler_type": "greedy"}, "greedy needs"),
        ({"early_stopping_threshold": 0.1}, "no effect without early_stopping_patience"),
        ({**STOPS, "load_best_model_at_end": False}, "load_best_model_at_end cannot be false"),
        ({**STOPS, "metric_for_best_model": "bleu"}, "must be eval_loss"),
        ({**STOPS, "greater_is_better": True}, "greater_is_better cannot be true"),
        ({**STOPS, "save_minutes": 5}, "save_minutes cannot be set"),
        ({**STOPS, "save_strategy": "epoch"}, "save_strategy epoch must be equal to"),
        ({**STOPS, "eval_steps": 4, "save_steps": 6}, "save_steps 6 must be a multiple of"),
        ({**STOPS, "logging_steps": 4, "save_steps": 6}, "a multiple of eval_steps, 4"),
        ({**STOPS, "save_steps": 15}, "a multiple of eval_steps, 10"),
        ({**STOPS, "eval_strategy": "epoch", "save_steps": 6}, "save_strategy steps must be"),
        ({"save_minutes": 5, "save_steps": 6}, "leave out save_steps"),
        ({"packing": True, "max_length": None}, "packing fills rows up to max_length"),
        ({"padding_free": True}, "padding_free does not keep to max_length"),
        ({"completion_only_loss": True, "assistant_only_loss": True}, "set one of them"),
        ({"fp16": True, "bf16": True}, "fp16 and bf16"),
    ],
)
def test_contradicting_settings_are_reported(settings: dict[str, Any], said: str) -> None:
    [contradiction] = training.conflicts(settings)
    assert said in contradiction


@pytest.mark.parametrize(
    "settings",
    [
        {},
        STOPS,
        {"early_stopping_patience": 2, "evaluation_strategy": "epoch"},
        {"early_stopping_patience": None, "early_stopping_threshold": 0},
        {**STOPS, "eval_steps": 3, "save_steps": 6, "save_strategy": "steps"},
        {**STOPS, "eval_steps": 0.1, "save_steps": 0.2},
        {**STOPS, "save_strategy": "best"},
        {"eval_strategy": "steps", "save_steps": 7},
        {"packing": True, "padding_free": True},
        {"padding_free": True, "max_length": None},
        {"save_minutes": 0},
    ],
)
def test_compatible_settings_are_accepted(settings: dict[str, Any]) -> None:
    assert training.conflicts(settings) == []


def test_old_setting_names_are_understood() -> None:
    assert training.with_current_names(
        {"max_seq_length": 9, "warmup_ratio": 0.1, "warmup_steps": 0}
    ) == {
        "max_length": 9,
        "warmup_steps": 0.1,
    }
    assert training.with_current_names({"evaluation_strategy": "no", "eval_strategy": "epoch"}) == {
        "eval_strategy": "epoch"
    }


def test_completion_prompt_is_the_beginning_and_the_completion() -> None:
    wanted = {"completion_only_loss": True}
    assert training.prompt_conflicts(wanted, "A: {a} {b}", "A: {a}", " {b}") == []
    assert training.prompt_conflicts({}, "A: {a}", "{b}", "{b}") == []
    [space] = training.prompt_conflicts(wanted, "A: {a}", "A: ", "{a}")
    assert "does not end in a space" in space
    [other] = training.prompt_conflicts(wanted, "A: {a}\n", "A:", " {a}")
    assert "followed by its completion_template" in other
