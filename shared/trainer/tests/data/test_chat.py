"""Texts of a chat template, and the ends of answers."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer

from ft.api import PromptMetadata
from ft.job_protocol.files import ANSWERS_FILE
from rows.errors import DataError
from trainer.data import chat
from trainer.data.questions import ChatInput
from trainer.export.parity import Parity
from trainer.model.generation import continue_texts
from trainer.model.hardware import detect
from trainer.model.loading import load_model, weight_type
from trainer.model.tokenizer import set_pad_token
from trainer.schemas.settings import make_generation_config
from trainer.serving import trained_answers
from trainer.starter.phrases import HERE

TURNS = (
    "{{ bos_token }}{% for m in messages %}<|turn|>{{ m.role }}: {{ m.content | trim }}<|over|>"
    "\n{% endfor %}{% if add_generation_prompt %}<|turn|>assistant:{% else %}{{ eos_token }}"
    "{% endif %}"
)
TALK = [{"role": "user", "content": " hi "}]


@pytest.fixture(scope="module")
def model() -> Any:
    hardware = detect()
    return load_model(str(HERE / "model"), hardware, weight_type(hardware), None)


@pytest.fixture
def tokenizer() -> Any:
    """One that begins each text with a token, as its chat template does."""
    made = AutoTokenizer.from_pretrained(HERE / "model")
    made.add_tokens(["<|turn|>", "<|over|>"])
    made.bos_token = "<|pad|>"
    begin = ("<|pad|>", made.bos_token_id)
    made.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|pad|> $A", special_tokens=[begin]
    )
    set_pad_token(made)
    made.chat_template = TURNS
    return made


class Heard:
    """A model that notes what it is given, and writes what it is told to."""

    def __init__(self, model: Any, writes: list[int]) -> None:
        self.device, self.config = model.device, model.config
        self.writes = writes
        self.heard: list[list[int]] = []

    def eval(self) -> None: ...

    def get_input_embeddings(self) -> Any:
        return torch.nn.Embedding(2000, 1)

    def generate(self, input_ids: Any, **_: Any) -> Any:
        self.heard += input_ids.tolist()
        written = input_ids.new_tensor([self.writes] * len(input_ids))
        return input_ids.new_tensor(
            [[*a, *b] for a, b in zip(input_ids.tolist(), written.tolist(), strict=True)]
        )


def test_text_with_every_special_token_is_given_none_more(model: Any, tokenizer: Any) -> None:
    text = chat.ask(TALK, tokenizer)
    assert text == "<|pad|><|turn|>user: hi<|over|>\n<|turn|>assistant:"
    heard = Heard(model, [0])
    generation = make_generation_config({}, tokenizer)

    list(continue_texts(heard, tokenizer, generation, [text], whole=True))
    list(continue_texts(heard, tokenizer, generation, ["hi"]))

    begin = tokenizer.bos_token_id
    assert [ids.count(begin) for ids in heard.heard] == [1, 1]
    assert heard.heard[0] == tokenizer.apply_chat_template(
        TALK, add_generation_prompt=True, return_dict=False
    )


def test_answer_ends_where_the_template_ends_one(model: Any, tokenizer: Any) -> None:
    over = tokenizer.convert_tokens_to_ids("<|over|>")
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, 7]

    ends = chat.end_tokens(model, tokenizer)

    assert ends == [over, tokenizer.eos_token_id, 7]
    word = tokenizer("order", add_special_tokens=False)["input_ids"]
    heard = Heard(model, [*word, over, *word])
    generation = make_generation_config({"eos_token_id": ends}, tokenizer)
    [found] = continue_texts(heard, tokenizer, generation, ["hi"])
    # What ends it is no word of the answer, whether or not the tokenizer calls it special.
    assert (found.text, found.tokens) == ("order", (*word, over))


def test_template_that_refuses_a_plain_conversation_names_no_end(
    model: Any, tokenizer: Any
) -> None:
    model.generation_config.eos_token_id = 0
    tokenizer.chat_template = "{{ raise_exception('no') }}"
    assert chat.end_tokens(model, tokenizer) == [tokenizer.eos_token_id]
    with pytest.raises(DataError, match="refuses it: no"):
        chat.ask(TALK, tokenizer)


def test_answers_that_do_not_fit_are_not_compared(
    model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    tokenizer.chat_template = (
        "{% if messages[-1].role != 'user' %}{{ raise_exception('no') }}{% endif %}"
        "{{ bos_token }}{{ messages[-1].content }}"
    )
    refused = [{"role": "system", "content": "Be kind."}]
    long = [{"role": "user", "content": "hi " * 500}]
    samples = [ChatInput(one) for one in (refused, long, TALK)]

    assert Parity.of(model, tokenizer, {}, samples).prompts == [ChatInput(TALK)]
    with pytest.raises(DataError, match="refuses it: no"):
        Parity.of(model, tokenizer, {}, [ChatInput(refused)])
    trained_answers.record(model, tokenizer, PromptMetadata(), samples, tmp_path)
    [recorded] = json.loads((tmp_path / ANSWERS_FILE).read_text())["samples"]
    assert recorded["input"] == chat.ask(TALK, tokenizer)


def test_template_of_an_adapter_comes_before_the_bases(tokenizer: Any, tmp_path: Path) -> None:
    chat.set_saved_template(str(tmp_path), tokenizer)
    assert tokenizer.chat_template == TURNS
    # As earlier libraries left it.
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(HERE / "model" / name, tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    told = json.dumps({**config, "chat_template": "an earlier one"})
    (tmp_path / "tokenizer_config.json").write_text(told)
    chat.set_saved_template(str(tmp_path), tokenizer)
    assert tokenizer.chat_template == "an earlier one"
    (tmp_path / chat.TEMPLATE_FILE).write_text("its own")
    chat.set_saved_template(str(tmp_path), tokenizer)
    assert tokenizer.chat_template == "its own"
    assert chat.template_hash(tokenizer) != ""
