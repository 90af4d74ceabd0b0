"""The modules that settings name are those that PEFT finds."""

import warnings
from collections.abc import Iterator
from typing import Any

import peft
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from ft.configs import lora
from ft.configs.targets import BaseModules, faults, targeted
from ft.tests.refused_settings import OF_MODEL_LORA
from trainer.errors import SettingsError
from trainer.model import settings_checks
from trainer.schemas.settings import make_lora_config

NAMES = ("q_proj", "v_proj", "up_proj", "layers.1.mlp.up_proj", "none_such", "mlp", "o_proj")
PATTERNS = (
    "all-linear",
    r".*\.q_proj",
    r"model\.layers\.1\..*_proj",
    r".*(k|v)_proj",
    "q_proj",
    r"model\.layers\.\d\.mlp\.up_proj",
)
SOME = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)


def tiny(tied: bool = True) -> Any:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=32,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            tie_word_embeddings=tied,
        )
    )


def shapes(model: Any) -> dict[str, tuple[int, ...]]:
    return {name: tuple(one.shape) for name, one in model.named_parameters()}


MODEL = shapes(tiny())

CONFIGS = st.fixed_dictionaries(
    {"target_modules": SOME | st.sampled_from(PATTERNS)},
    optional={
        "exclude_modules": SOME | st.sampled_from(PATTERNS[1:]),
        "layers_to_transform": st.sampled_from((0, [1], [0, 1], [5])),
        "layers_pattern": st.sampled_from(("layers", ["layers"], "h")),
        "modules_to_save": st.sampled_from((["lm_head"], ["v_proj"], ["norm"], ["mlp"])),
        "rank_pattern": st.sampled_from(({"q_proj": 2}, {".*_proj": 2}, {"x": 2})),
    },
)


@settings(max_examples=150, deadline=None)
@given(CONFIGS)
def test_modules_are_those_of_the_library(config: dict[str, Any]) -> None:
    if lora.conflicts(config):
        return
    base = BaseModules(MODEL)
    wrong = faults(config, base)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            with torch.device("meta"):
                made = peft.get_peft_model(tiny(), make_lora_config(config))
        except ValueError:
            assert wrong
            return
    if not wrong:
        assert targeted(config, base) == made.base_model.targeted_module_names
        assert not [str(one.message) for one in told if "match" in str(one.message)]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        *OF_MODEL_LORA,
        ({"target_modules": ["q_proj"], "layers_to_transform": [0, 7]}, "names 7; the base model"),
        ({"trainable_token_indices": [1]}, "are the same weights"),
    ],
)
def test_targets_that_name_nothing_are_reported(config: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=r"^lora_config: ") as told:
        settings_checks.check_adapter(config, tiny())
    assert said in str(told.value)


def test_tokens_are_among_those_of_the_model() -> None:
    model = tiny(tied=False)
    settings_checks.check_adapter({"trainable_token_indices": [31]}, model)
    with pytest.raises(SettingsError, match="has 32; the base model has tokens 0 to 31"):
        settings_checks.check_adapter({"trainable_token_indices": [31, 32]}, model)
    with pytest.raises(SettingsError, match="pad_token_id has 40; the model has tokens 0 to 31"):
        settings_checks.check_tokens({"pad_token_id": 40, "eos_token_id": [2, 3]}, model)


def names() -> Iterator[str]:
    yield from BaseModules(MODEL).modules


def test_modules_with_weights_are_all_known() -> None:
    there = {name for name, _ in tiny().named_modules()}
    assert set(names()) <= there
