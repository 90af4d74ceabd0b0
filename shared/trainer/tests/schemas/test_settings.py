"""Configs become settings of the libraries; unknown names are refused."""

import pytest
from transformers import AutoTokenizer

from trainer.errors import SettingsError
from trainer.schemas import settings
from trainer.starter.phrases import HERE

SHIPPED_TRAINING = {
    "num_train_epochs": 1,
    "optim": "adamw_torch",
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 4,
    "warmup_ratio": 0.03,
    "max_grad_norm": 0.3,
    "learning_rate": 2e-4,
    "logging_steps": 1,
    "lr_scheduler_type": "constant",
    "disable_tqdm": True,
    "report_to": "none",
    "ddp_find_unused_parameters": False,
    "use_cpu": True,
    "bf16": False,
}


def test_shipped_training_arguments_are_understood(tmp_path) -> None:
    notices: list[str] = []
    chosen = settings.training_settings(SHIPPED_TRAINING, notices.append)

    config = settings.make_training_config(chosen, str(tmp_path))

    assert notices == [
        "training_arguments_config: warmup_ratio has no effect: lr_scheduler_type constant has no "
        "warm-up."
    ]
    assert config.get_warmup_steps(1000) == 30
    assert config.learning_rate == 2e-4


def test_settings_without_effect_are_left_out_and_reported() -> None:
    notices: list[str] = []
    chosen = settings.training_settings(
        {"output_dir": "x", "overwrite_output_dir": True, "max_seq_length": 99}, notices.append
    )

    assert chosen == {"max_length": 99}
    assert len(notices) == 2


def test_library_takes_no_chat_template_and_adds_no_tokens(tmp_path) -> None:
    chosen = {"chat_template_path": "another/tokenizer", "bf16": False, "use_cpu": True}
    assert settings.make_training_config(chosen, str(tmp_path)).chat_template_path is None


def test_wrong_value_is_reported_in_the_words_of_the_library(tmp_path) -> None:
    with pytest.raises(SettingsError, match=r"training_arguments_config: .*sometimes"):
        settings.make_training_config(
            {"eval_strategy": "sometimes", "use_cpu": True, "bf16": False}, str(tmp_path)
        )


def test_lora_takes_all_linear_layers_by_default() -> None:
    assert settings.make_lora_config({"r": 16}).target_modules == "all-linear"
    assert settings.make_lora_config({"target_modules": ["q_proj"]}).target_modules == {"q_proj"}


@pytest.mark.parametrize(
    ("make", "config", "hint"),
    [
        (settings.make_lora_config, {"lora_alfa": 1}, "unknown setting lora_alfa. Did you mean"),
        (
            lambda config: settings.make_quantisation_config("bnb_config", config),
            {"load_in_4bits": True},
            "bnb_config: unknown setting load_in_4bits. Did you mean load_in_4bit?",
        ),
    ],
)
def test_unknown_names_are_refused_with_a_hint(make, config, hint) -> None:
    with pytest.raises(SettingsError) as caught:
        make(config)
    assert hint in str(caught.value)


def test_generation_without_sampling_drops_what_only_sampling_uses() -> None:
    tokenizer = AutoTokenizer.from_pretrained(HERE / "model")
    greedy = settings.make_generation_config(
        {"do_sample": False, "temperature": 0.8, "max_new_tokens": 12}, tokenizer
    )
    sampled = settings.make_generation_config({"do_sample": True, "temperature": 0.8}, tokenizer)

    assert (greedy.max_new_tokens, greedy.temperature) == (12, None)
    assert (sampled.temperature, sampled.pad_token_id) == (0.8, tokenizer.pad_token_id)
    with pytest.raises(SettingsError, match="unknown setting temprature"):
        settings.make_generation_config({"temprature": 1}, tokenizer)
