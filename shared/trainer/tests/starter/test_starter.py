"""Held-out rows are held out, and the files are those that the script makes."""

import filecmp
import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from trainer.starter import make_intents, phrases, pretrain
from trainer.starter.corpus import corpus

STARTER = phrases.HERE


def rows(split: str) -> list[dict[str, str]]:
    lines = (STARTER / "intents" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def seen() -> str:
    """All text that a base or tuned model has seen, but for the labels."""
    return "\n".join([*corpus(), *(row["customer"] for row in rows("train"))]).lower()


def test_training_texts_hold_no_held_out_phrasing_or_carrier(seen: str) -> None:
    carriers, intents = phrases.load()
    parts = [part for carrier in carriers.held_out for part in carrier.split("{core}")]
    held_out = [part for part in parts if len(part) > 1]
    held_out += [core for intent in intents for core in intent.cores.held_out]

    assert len(held_out) > 75
    assert [text for text in held_out if text.lower() in seen] == []


def test_pre_training_knows_no_label(seen: str) -> None:
    labels = {row["action"] for row in rows("train")}

    assert len(labels) == 25
    assert [label for label in labels if label in seen] == []


def test_words_of_the_test_rows_were_all_seen(seen: str) -> None:
    words = {word.strip(".,?") for row in rows("test") for word in row["customer"].lower().split()}
    known = {word.strip(".,?") for word in seen.split()}

    assert words - known == set()


def test_splits_have_every_intent_equally_and_no_row_twice() -> None:
    for split, size in (("train", 1800), ("test", 300)):
        actions = [row["action"] for row in rows(split)]
        assert len(actions) == size
        assert {actions.count(action) for action in actions} == {size // 25}
        assert len({row["customer"] for row in rows(split)}) == size


def test_committed_dataset_is_what_the_script_makes(tmp_path: Path) -> None:
    make_intents.main(tmp_path)

    same, different, missing = filecmp.cmpfiles(
        tmp_path, STARTER / "intents", ["train.jsonl", "test.jsonl"], shallow=False
    )
    assert (sorted(same), different, missing) == (["test.jsonl", "train.jsonl"], [], [])


def test_committed_tokenizer_is_what_the_script_makes(tmp_path: Path) -> None:
    pretrain.make_tokenizer(corpus()).save_pretrained(tmp_path)

    made, committed = (folder / "tokenizer.json" for folder in (tmp_path, STARTER / "model"))
    assert json.loads(made.read_text()) == json.loads(committed.read_text())


def test_committed_model_has_the_shape_that_the_script_makes() -> None:
    tokenizer = AutoTokenizer.from_pretrained(STARTER / "model")
    made = pretrain.make_model(tokenizer)

    committed = AutoModelForCausalLM.from_pretrained(STARTER / "model", dtype=torch.float32)

    shapes = {name: weight.shape for name, weight in made.state_dict().items()}
    assert {name: w.shape for name, w in committed.state_dict().items()} == shapes
    assert tokenizer.pad_token_id != tokenizer.eos_token_id
