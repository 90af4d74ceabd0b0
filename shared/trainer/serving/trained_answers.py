"""Whether a served model is the one that was trained: it answers as the trainer's did, or not at
all.

At the end of a training the answers to a few inputs are written beside the adapter. Whoever serves
it gives the same inputs to the model as it was loaded, one at a time as calls come, and compares.
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
    """The first rows as a model is asked about them; none if the prompt says not how."""
    return questions.samples(prompt, rows, SAMPLES, roles)


def record(
    model: Any, tokenizer: Any, prompt: Any, samples: Sequence[ModelInput], folder: Path
) -> None:
    """Writes what `check` compares with into the file ANSWERS_FILE of the adapter's folder; of
    samples that fit the model. Raises ModelError for conversations without a chat template."""
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
        "calculated": _calculated(model),
        "generation": generation,
        "samples": [
            {"input": text, "tokens": tokens} for text, tokens in zip(texts, answers, strict=True)
        ],
    }
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (folder / ANSWERS_FILE).write_text(text + "\n", encoding="utf-8")


def check(adapter: Path, model: Any, tokenizer: Any, notify: Notify) -> None:
    """Raises ParityError naming what is not as it was when the adapter in that folder was trained.

    Numbers that were calculated in another way, on a GPU or with fewer bits, may tip an answer, so
    that other answers are only told then.
    """
    recorded = RecordedAnswers.read(adapter)
    if recorded is None:
        notify(f"There is no {ANSWERS_FILE} beside the adapter, so its answers cannot be verified.")
        return
    _check_tokenizer(recorded, tokenizer)
    texts = [sample.input for sample in recorded.samples]
    whole = recorded.chat_template is not None
    answers = _answers(model, tokenizer, recorded.generation, texts, whole=whole)
    pairs = zip(recorded.samples, answers, strict=True)
    other = [i for i, (sample, answer) in enumerate(pairs, 1) if sample.tokens != answer]
    told = f"RecordedAnswers differ on prompt {other[0]} of {len(texts)}" if other else ""
    if told and recorded.calculated == _calculated(model):
        raise ParityError(f"{told}: the model is not the one that was trained.")
    if told:
        notify(f"{told}; it was trained as {recorded.calculated}, and is {_calculated(model)}.")
    else:
        notify(f"RecordedAnswers to {len(texts)} prompts are those of the trained model.")


def _check_tokenizer(recorded: RecordedAnswers, tokenizer: Any) -> None:
    if recorded.eos_token_id != tokenizer.eos_token_id:
        raise ParityError(
            f"EOS differs: the adapter was trained with token {recorded.eos_token_id} "
            f"at the end of a text, and the tokenizer has {tokenizer.eos_token_id}."
        )
    if recorded.tokenizer != fingerprint(tokenizer):
        raise ParityError("Wrong tokenizer: it is not the one that the adapter was trained with.")
    wanted = recorded.chat_template
    if wanted is not None and wanted != chat.template_hash(tokenizer):
        raise ParityError(
            "Wrong chat template: it is not the one that the adapter was trained with."
        )


def _answers(
    model: Any, tokenizer: Any, generation: Mapping[str, Any], texts: Sequence[str], *, whole: bool
) -> list[list[int]]:
    made = settings.make_generation_config(dict(generation), tokenizer)
    # One at a time: in a batch, padding changes the last bits of what is calculated.
    found = continue_texts(model, tokenizer, made, texts, batch_rows=1, whole=whole)
    return [list(continuation.tokens) for continuation in found]


def _calculated(model: Any) -> str:
    """How the model's numbers are calculated, as far as that can make a difference."""
    quantised = ", quantised" if getattr(model, "is_quantized", False) else ""
    return f"{model.dtype} on {model.device.type}{quantised}"
