"""A tokenizer of the GPT-2 class, whose only special token is the end of a text: what is padded
with it counts for nothing, and what ends with it does."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from trainer.data.prepared import UNLEARNED
from trainer.model.generation import continue_texts
from trainer.model.hardware import Hardware
from trainer.model.loading import load_adapter, load_model, load_tokenizer
from trainer.schemas.settings import make_generation_config
from trainer.tests.studio import Studio
from trainer.tests.support import Run

Train = Callable[..., Run]
END = "<|endoftext|>"
ROWS = [{"customer": f"say {word}", "action": word} for word in ("one", "two", "three")] + [
    {"customer": "say it all, from the first to the last", "action": "one two three"}
]
CHAT = (
    "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
    "{{ eos_token }}{% endgeneration %}{% else %}{{ m.content }}:{% endif %}{% endfor %}"
)
Batch = dict[str, torch.Tensor]


@pytest.fixture
def gpt2(project: Path, studio: Studio) -> Path:
    """A small GPT-2 with a tokenizer as GPT-2's: `<|endoftext|>` begins, ends and is unknown, and
    nothing pads."""
    torch.manual_seed(0)
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    texts = [json.dumps(row) for row in ROWS] + ["### CUSTOMER: \n### ACTION: "]
    plain.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=300,
            special_tokens=[END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, bos_token=END, eos_token=END, unk_token=END
    )
    tokenizer.save_pretrained(project / "gpt2")
    end = tokenizer.eos_token_id
    GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=96,
            n_embd=64,
            n_layer=2,
            n_head=2,
            bos_token_id=end,
            eos_token_id=end,
        )
    ).save_pretrained(project / "gpt2")
    studio.model.location = "gpt2"
    rows = project / "few.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return project / "gpt2"


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Batch]]:
    """What the model is given, batch by batch."""
    from trl.trainer.sft_trainer import SFTTrainer

    seen: list[Batch] = []
    original = SFTTrainer.training_step

    def training_step(self: Any, model: Any, inputs: Batch, *rest: Any, **more: Any) -> Any:
        seen.append({name: one.clone() for name, one in inputs.items() if torch.is_tensor(one)})
        return original(self, model, inputs, *rest, **more)

    monkeypatch.setattr(SFTTrainer, "training_step", training_step)
    return seen


def conversations(project: Path, studio: Studio) -> str:
    talks = [
        [
            {"role": "user", "content": row["customer"]},
            {"role": "assistant", "content": row["action"]},
        ]
        for row in ROWS
    ]
    lines = "".join(json.dumps({"messages": talk}) + "\n" for talk in talks)
    (project / "talks.jsonl").write_text(lines)
    (project / "chat.jinja").write_text(CHAT)
    studio.prompt.prompt_template = "{messages}"
    return "talks.jsonl"


@pytest.mark.parametrize(
    ("settings", "talks"),
    [
        ({}, False),
        ({"completion_only_loss": True}, False),
        ({"packing": True}, False),
        ({"packing": True, "packing_strategy": "wrapped", "max_length": 64}, False),
        ({"padding_free": True, "max_length": None}, False),
        ({"chat_template_path": "chat.jinja"}, True),
        ({"chat_template_path": "chat.jinja", "assistant_only_loss": True}, True),
        ({"chat_template_path": "chat.jinja", "assistant_only_loss": True, "packing": True}, True),
    ],
    ids=str,
)
def test_padding_is_masked_by_position_and_each_end_is_learned(
    train: Train,
    studio: Studio,
    project: Path,
    gpt2: Path,
    batches: list[Batch],
    settings: dict[str, Any],
    talks: bool,
) -> None:
    dataset = conversations(project, studio) if talks else "few.jsonl"
    training = {"max_steps": 1, "per_device_train_batch_size": 4, "lr_scheduler_type": "constant"}

    train(training | settings, {"target_modules": ["c_attn"]}, dataset, train_test_split=1)

    end = load_tokenizer(str(gpt2)).eos_token_id
    ends = 0
    for batch in batches:
        ids, labels = batch["input_ids"], batch["labels"]
        padding = (
            1 - batch["attention_mask"] if "attention_mask" in batch else torch.zeros_like(ids)
        )
        assert (ids[padding == 1] == end).all()
        assert (labels[padding == 1] == UNLEARNED).all()
        # The end of each text is a token like any other: seen, and learned.
        real = (ids == end) & (padding == 0)
        assert (labels[real] == end).all()
        ends += int(real.sum())
    assert ends == len(ROWS)
    packed = settings.get("packing") and "packing_strategy" not in settings
    padded = not (packed or settings.get("padding_free"))
    assert any("attention_mask" in one and not one["attention_mask"].all() for one in batches) == (
        padded
    )


@pytest.mark.slow
def test_model_without_a_pad_token_learns_to_stop(
    train: Train, studio: Studio, project: Path, gpt2: Path
) -> None:
    training = {
        "max_steps": 300,
        "per_device_train_batch_size": 4,
        "learning_rate": 5e-3,
        "lr_scheduler_type": "constant",
        "logging_steps": 100,
        "max_grad_norm": 1.0,
    }
    lora = {
        "r": 16,
        "target_modules": ["c_attn", "c_proj", "c_fc"],
        "modules_to_save": ["wte", "wpe"],
    }

    train(training, lora, "few.jsonl", train_test_split=1)

    adapter = studio.adapters[0]
    saved = AutoTokenizer.from_pretrained(project / adapter.location)
    assert (saved.eos_token, saved.pad_token) == (END, END)
    model = load_model(str(gpt2), Hardware(1), torch.float32, None)
    tuned = load_adapter(model, adapter, project)
    tokenizer = load_tokenizer(str(gpt2))
    generation = make_generation_config({"do_sample": False, "max_new_tokens": 20}, tokenizer)
    asked = [studio.prompt.input_template.format(**row) for row in ROWS]
    # In one batch, so that all but the longest are padded.
    together = list(continue_texts(tuned, tokenizer, generation, asked))
    alone = list(continue_texts(tuned, tokenizer, generation, asked, batch_rows=1))

    assert [one.text.strip() for one in together] == [row["action"] for row in ROWS]
    assert [one.text for one in alone] == [one.text for one in together]
    assert all(one.tokens[-1] == tokenizer.eos_token_id for one in together)
