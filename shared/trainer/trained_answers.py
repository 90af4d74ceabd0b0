"""Whether a served model is the one that was trained: it answers as the trainer's did, or not at
all.

At the end of a training the answers to a few inputs are written beside the adapter. Whoever serves
it gives the same inputs to the model as it was loaded, one at a time as calls come, and compares.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ft.agreed import ANSWERS_FILE, TEMPLATES
from rows import templates
from rows.errors import DataError
from trainer import settings
from trainer.errors import ParityError
from trainer.generate import continue_texts
from trainer.hardware import Notify
from trainer.model import longest_text
from trainer.tokenizer import fingerprint

SAMPLES = 4
GREEDY = {"do_sample": False, "max_new_tokens": 16}


def inputs(prompt: Any, rows: Iterable[dict[str, Any]], columns: Iterable[str]) -> list[str]:
    """The first rows as a model is asked about them; none if the prompt says not how."""
    try:
        templates.check_columns(prompt.input_template, columns, "input_template")
    except DataError:
        return []
    filled = (
        templates.fill(prompt.input_template, row)
        for row, _ in zip(rows, range(SAMPLES), strict=False)
    )
    return [text for text in filled if text]


def record(model: Any, tokenizer: Any, prompt: Any, samples: Sequence[str], folder: Path) -> None:
    """Writes what `check` compares with into the file ANSWERS_FILE of the adapter's folder."""
    longest = longest_text(model)
    fitting = [text for text in samples if longest is None or _tokens(tokenizer, text) < longest]
    content = {
        "version": 1,
        "tokenizer": fingerprint(tokenizer),
        "eos_token_id": tokenizer.eos_token_id,
        **{name: getattr(prompt, name) for name in TEMPLATES},
        "calculated": _calculated(model),
        "generation": GREEDY,
        "samples": [
            {"input": text, "tokens": tokens}
            for text, tokens in zip(
                fitting, _answers(model, tokenizer, GREEDY, fitting), strict=True
            )
        ],
    }
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (folder / ANSWERS_FILE).write_text(text + "\n", encoding="utf-8")


def check(adapter: Path, model: Any, tokenizer: Any, notify: Notify) -> None:
    """Raises ParityError naming what is not as it was when the adapter in that folder was trained.

    Numbers that were calculated in another way, on a GPU or with fewer bits, may tip an answer, so
    that other answers are only told then.
    """
    recorded = _read(adapter / ANSWERS_FILE)
    if recorded is None:
        notify(f"There is no {ANSWERS_FILE} beside the adapter, so its answers cannot be verified.")
        return
    if recorded["eos_token_id"] != tokenizer.eos_token_id:
        raise ParityError(
            f"EOS differs: the adapter was trained with token {recorded['eos_token_id']} "
            f"at the end of a text, and the tokenizer has {tokenizer.eos_token_id}."
        )
    if recorded["tokenizer"] != fingerprint(tokenizer):
        raise ParityError("Wrong tokenizer: it is not the one that the adapter was trained with.")
    texts = [sample["input"] for sample in recorded["samples"]]
    answers = _answers(model, tokenizer, recorded["generation"], texts)
    pairs = zip(recorded["samples"], answers, strict=True)
    other = [i for i, (sample, answer) in enumerate(pairs, 1) if sample["tokens"] != answer]
    told = f"Answers differ on prompt {other[0]} of {len(texts)}" if other else ""
    if told and recorded["calculated"] == _calculated(model):
        raise ParityError(f"{told}: the model is not the one that was trained.")
    if told:
        notify(f"{told}; it was trained as {recorded['calculated']}, and is {_calculated(model)}.")
    else:
        notify(f"Answers to {len(texts)} prompts are those of the trained model.")


def _answers(
    model: Any, tokenizer: Any, generation: dict[str, Any], texts: Sequence[str]
) -> list[list[int]]:
    made = settings.make_generation_config(generation, tokenizer)
    # One at a time: in a batch, padding changes the last bits of what is calculated.
    found = continue_texts(model, tokenizer, made, texts, batch_rows=1)
    return [list(continuation.tokens) for continuation in found]


def _tokens(tokenizer: Any, text: str) -> int:
    return len(tokenizer(text)["input_ids"]) + int(GREEDY["max_new_tokens"])


def _calculated(model: Any) -> str:
    """How the model's numbers are calculated, as far as that can make a difference."""
    quantised = ", quantised" if getattr(model, "is_quantized", False) else ""
    return f"{model.dtype} on {model.device.type}{quantised}"


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ParityError(f"{ANSWERS_FILE} beside the adapter is not JSON: {error}.") from error
    if not isinstance(found, dict) or found.get("version") != 1:
        raise ParityError(
            f"{ANSWERS_FILE} beside the adapter is of a version that is not known here."
        )
    return found
