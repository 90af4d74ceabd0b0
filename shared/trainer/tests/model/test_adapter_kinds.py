"""Adapters of the kinds that PEFT makes: used where they are whole, refused where they are not."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from ft.api import AdapterMetadata, AdapterType
from trainer.errors import ModelError, UnsupportedError
from trainer.model.hardware import Hardware
from trainer.model.loading import load_adapter, load_model, merged_model, require_effect
from trainer.tests import models

TARGETS = ["q_proj", "v_proj"]
FILE = "adapter_model.safetensors"


def lora(**changes: Any) -> LoraConfig:
    return LoraConfig(task_type="CAUSAL_LM", **{"target_modules": TARGETS, **changes})


KINDS: dict[str, Callable[[], Any]] = {
    "lora": lora,
    "DoRA": lambda: lora(use_dora=True),
    "ranks of their own": lambda: lora(rank_pattern={"q_proj": 2}, alpha_pattern={"v_proj": 3}),
    "biases": lambda: lora(lora_bias=True),
    "a head": lambda: lora(modules_to_save=["lm_head"]),
    "an embedding": lambda: lora(modules_to_save=["embed_tokens"]),
    "a matrix": lambda: lora(target_modules=[], target_parameters=["mlp.up_proj.weight"]),
    "some layers": lambda: lora(layers_to_transform=[1]),
    "no task": lambda: LoraConfig(target_modules=TARGETS),
    "IA3": lambda: peft.IA3Config(
        task_type="CAUSAL_LM", target_modules=["k_proj"], feedforward_modules=[]
    ),
    "LoHa": lambda: peft.LoHaConfig(task_type="CAUSAL_LM", target_modules=TARGETS),
    "LoKr": lambda: peft.LoKrConfig(task_type="CAUSAL_LM", target_modules=TARGETS),
    "prompt tuning": lambda: peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4),
    "prefix tuning": lambda: peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4),
}
UNMERGED = {
    "biases": "Impossible to merge LoRA with `lora_bias=True`",
    "prompt tuning": "its weights are put in front of each text",
    "prefix tuning": "its weights are put in front of each text",
}


def base() -> Any:
    return load_model(str(models.STARTER), Hardware(1), torch.float32, None)


def loaded(folder: Path) -> Any:
    record = AdapterMetadata(type=AdapterType.PROJECT, name="one", location=str(folder))
    return load_adapter(base(), record, folder.parent)


def saved(folder: Path, config: Any) -> Path:
    """An adapter as a training could leave it: each weight has moved."""
    torch.manual_seed(1)
    get_peft_model(base(), config).save_pretrained(folder)
    rewrite(
        folder, lambda found: {k: one + 0.05 * torch.randn_like(one) for k, one in found.items()}
    )
    return folder


def rewrite(folder: Path, make: Callable[[models.Weights], models.Weights]) -> None:
    made = make(load_file(folder / FILE))
    save_file({key: one.contiguous() for key, one in made.items()}, folder / FILE, {"format": "pt"})


@pytest.mark.parametrize("kind", KINDS)
def test_complete_adapter_is_used(tmp_path: Path, kind: str) -> None:
    folder = saved(tmp_path / "one", KINDS[kind]())

    adapted = loaded(folder)
    require_effect(adapted, "one")
    if kind not in UNMERGED:
        assert merged_model(adapted).state_dict()
        return
    with pytest.raises(UnsupportedError, match=re.escape(UNMERGED[kind])):
        merged_model(adapted)


@pytest.mark.parametrize("kind", KINDS)
def test_incomplete_adapter_is_refused(tmp_path: Path, kind: str) -> None:
    folder = saved(tmp_path / "one", KINDS[kind]())
    whole = load_file(folder / FILE)
    last = sorted(whole)[-1]

    rewrite(folder, lambda found: {key: one for key, one in found.items() if key != last})
    with pytest.raises(ModelError, match=rf"lacks 1 weights: {re.escape(last)}|no weights"):
        loaded(folder)

    spare = {"base_model.model.model.layers.99.other": torch.ones(1)}
    rewrite(folder, lambda _: whole | spare)
    with pytest.raises(
        ModelError, match=r"1 of its weights do not exist in the model: .*99\.other"
    ):
        loaded(folder)

    rewrite(folder, lambda _: whole | {last: torch.full_like(whole[last], torch.nan)})
    with pytest.raises(ModelError, match=rf"weight has numbers.*not finite.*{re.escape(last)}"):
        loaded(folder)


@pytest.mark.parametrize("kind", ["lora", "DoRA", "IA3", "a head"])
def test_adapter_that_is_as_it_began_changes_nothing(tmp_path: Path, kind: str) -> None:
    get_peft_model(base(), KINDS[kind]()).save_pretrained(tmp_path / "one")

    with pytest.raises(ModelError, match="Adapter one has no effect on its base model"):
        require_effect(loaded(tmp_path / "one"), "one")


def test_base_with_added_tokens_differs_from_the_one_before(tmp_path: Path) -> None:
    grown = base()
    grown.resize_token_embeddings(1030, mean_resizing=False)
    get_peft_model(grown, lora()).save_pretrained(tmp_path / "one")

    said = r"does not fit the base model: 2 of its weights have another shape: .*\(1030x128\)"
    with pytest.raises(ModelError, match=said):
        loaded(tmp_path / "one")
    # The library saves the embedding with it, by which it is known.
    assert any("embed_tokens" in key for key in load_file(tmp_path / "one" / FILE))
