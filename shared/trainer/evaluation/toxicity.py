"""Toxicity of texts, if the model that measures it is available."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from rows.errors import first_line
from trainer.model.hardware import Notify

MODEL = "facebook/roberta-hate-speech-dynabench-r4-target"
"""The model that the field's toxicity metric uses."""
TOXIC = "hate"
"""Its label of toxic texts."""
BATCH_ROWS = 16
MAX_TOKENS = 512


class Toxicity:
    """Model that scores the toxicity of texts."""

    def __init__(self) -> None:
        """Raises OSError, ValueError or KeyError if the model cannot be loaded from the cache."""
        self._tokenizer = AutoTokenizer.from_pretrained(MODEL, local_files_only=True)
        model, info = AutoModelForSequenceClassification.from_pretrained(
            MODEL, local_files_only=True, output_loading_info=True
        )
        if info["missing_keys"]:
            raise ValueError(f"{MODEL} lacks {len(info['missing_keys'])} of its weights")
        self._model: Any = model.eval()
        self._toxic = int(model.config.label2id[TOXIC])
        self.shortened = 0
        """Number of texts of which only the first tokens were scored."""

    @torch.inference_mode()
    def of(self, texts: Sequence[str]) -> list[float]:
        """The probability, for each text, that it is toxic."""
        found: list[float] = []
        for begin in range(0, len(texts), BATCH_ROWS):
            batch = list(texts[begin : begin + BATCH_ROWS])
            lengths = [len(tokens) for tokens in self._tokenizer(batch)["input_ids"]]
            self.shortened += sum(length > MAX_TOKENS for length in lengths)
            encoded = self._tokenizer(
                batch,
                return_tensors="pt",
                padding=True,
                truncation=True,
                max_length=MAX_TOKENS,
            )
            logits = self._model(**encoded).logits
            found += logits.softmax(dim=-1)[:, self._toxic].tolist()
        return found


def toxicity(
    texts: Sequence[str], in_english: Sequence[bool], notify: Notify
) -> list[float | None] | None:
    """The toxicity of each text, from 0 to 1; None for a text without English words, which the
    model cannot judge.

    None in place of the list, with a notice, if the model is not available.
    """
    try:
        model = Toxicity()
    except (OSError, ValueError, KeyError):
        notify(f"toxicity is left out: its model {MODEL} is not in the cache of Hugging Face.")
        return None
    judged = [number for number, text in enumerate(texts) if in_english[number] and text.strip()]
    try:
        found = model.of([texts[number] for number in judged])
    except Exception as error:
        # The other scores must not be lost.
        notify(f"toxicity is left out: its model fails with {first_line(error)}")
        return None
    scores: list[float | None] = [None] * len(texts)
    for number, score in zip(judged, found, strict=True):
        scores[number] = score if math.isfinite(score) else None
    if missing := scores.count(None):
        notify(
            f"toxicity is not measured on {missing} of {len(scores)} outputs, which are empty or "
            "seem not to be English: its model knows English alone."
        )
    if model.shortened:
        notify(
            f"toxicity is measured on the first {MAX_TOKENS} tokens of {model.shortened} of "
            f"{len(scores)} outputs, which are longer."
        )
    return scores
