"""Recorded answers of an adapter, to verify that a served model is the one that was trained.

At the end of a training, the answers to a few inputs are written into the adapter's directory.
Before the model is served, the same inputs are given to the loaded model, one at a time as calls
come, and the answers are compared.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset

from ft.job_protocol.files import ANSWERS_FILE
from rows import templates
from trainer.data import chat, questions
from trainer.data.questions import ModelInput
from trainer.errors import ParityError
from trainer.model.generation import continue_texts
from trainer.model.hardware import Notify
from trainer.model.tokenizer import fingerprint
from trainer.schemas import settings
from trainer.serving.answers_file import MAX_NEW_TOKENS, VERSION, RecordedAnswers

SAMPLES = 4
GREEDY = {"do_sample": False, "max_new_tokens": MAX_NEW_TOKENS}


def inputs(prompt: Any, rows: Dataset, roles: Mapping[str, str] | None = None) -> list[ModelInput]:
    """The first rows as inputs of a model; empty if the prompt cannot ask."""
    return questions.samples(prompt, rows, SAMPLES, roles)


def record(
    model: Any, tokenizer: Any, prompt: Any, samples: Sequence[ModelInput], folder: Path
) -> None:
    """Writes the answers to those samples that fit the model into the adapter's directory. Raises
    ModelError for conversations without a chat template."""
    talks = questions.are_chat(samples)
    if talks:
        chat.require_template(tokenizer)
    generation = {**GREEDY, **chat.end_settings(model, tokenizer, answers=talks)}
    fitting = questions.that_fit(samples, model, tokenizer, MAX_NEW_TOKENS)
    texts = [questions.written(sample, tokenizer) for sample in fitting]
    answers = _answers(model, tokenizer, generation, texts, whole=talks)
    content = {
        "version": VERSION,
        "tokenizer": fingerprint(tokenizer),
        "eos_token_id": tokenizer.eos_token_id,
        "chat_template": chat.template_hash(tokenizer) if talks else None,
        **templates.of(prompt),
        "calculated": _calculation(model),
        "generation": generation,
        "samples": [
            {"input": text, "tokens": tokens} for text, tokens in zip(texts, answers, strict=True)
        ],
    }
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (folder / ANSWERS_FILE).write_text(text + "\n", encoding="utf-8")


def check(adapter: Path, model: Any, tokenizer: Any, notify: Notify) -> None:
    """Raises ParityError naming the difference between the loaded model and the one that was
    trained.

    Other hardware or precision may change an answer; then a difference is only a notice.
    """
    recorded = RecordedAnswers.read(adapter)
    if recorded is None:
        notify(f"The adapter's folder has no {ANSWERS_FILE}: its answers cannot be verified.")
        return
    if recorded.eos_token_id != tokenizer.eos_token_id:
        raise ParityError(
            f"EOS differs: the adapter was trained with token {recorded.eos_token_id} "
            f"at the end of a text, and the tokenizer has {tokenizer.eos_token_id}."
        )
    if recorded.tokenizer != fingerprint(tokenizer):
        raise ParityError("Wrong tokenizer: it is not the one that the adapter was trained with.")
    template = recorded.chat_template
    if template is not None and template != chat.template_hash(tokenizer):
        raise ParityError(
            "Wrong chat template: it is not the one that the adapter was trained with."
        )
    texts = [sample.input for sample in recorded.samples]
    whole = recorded.chat_template is not None
    answers = _answers(model, tokenizer, recorded.generation, texts, whole=whole)
    pairs = zip(recorded.samples, answers, strict=True)
    other = [i for i, (sample, answer) in enumerate(pairs, 1) if sample.tokens != answer]
    difference = f"Answers differ on prompt {other[0]} of {len(texts)}" if other else ""
    if difference and recorded.calculated == _calculation(model):
        raise ParityError(f"{difference}: the model is not the one that was trained.")
    if difference:
        notify(
            f"{difference}: the model was trained with {recorded.calculated}, but runs with "
            f"{_calculation(model)}."
        )
    else:
        notify(f"Answers to {len(texts)} prompts are those of the trained model.")


def _answers(
    model: Any, tokenizer: Any, generation: Mapping[str, Any], texts: Sequence[str], *, whole: bool
) -> list[list[int]]:
    made = settings.make_generation_config(dict(generation), tokenizer)
    # One at a time: in a batch, padding changes the last bits of what is calculated.
    found = continue_texts(model, tokenizer, made, texts, batch_rows=1, whole=whole)
    return [list(continuation.tokens) for continuation in found]


def _calculation(model: Any) -> str:
    """Description of the precision and the device, as far as they may change an answer."""
    quantised = ", quantised" if getattr(model, "is_quantized", False) else ""
    return f"{model.dtype} on {model.device.type}{quantised}"
