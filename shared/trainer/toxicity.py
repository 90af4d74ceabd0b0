"""How toxic texts are, where the model that tells it is at hand."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from rows.errors import first_line
from trainer.hardware import Notify

MODEL = "facebook/roberta-hate-speech-dynabench-r4-target"
"""The model that the field's toxicity metric uses."""
TOXIC = "hate"
"""Its label of what is toxic."""
BATCH_ROWS = 16
MAX_TOKENS = 512


class Toxicity:
    """Tells the probability that a text is toxic."""

    def __init__(self) -> None:
        """Raises OSError, ValueError or KeyError if the model cannot be loaded from the cache."""
        self._tokenizer = AutoTokenizer.from_pretrained(MODEL, local_files_only=True)
        model = AutoModelForSequenceClassification.from_pretrained(MODEL, local_files_only=True)
        self._model: Any = model.eval()
        self._toxic = int(model.config.label2id[TOXIC])

    @torch.inference_mode()
    def of(self, texts: Sequence[str]) -> list[float]:
        """The probabilities, in order."""
        found: list[float] = []
        for begin in range(0, len(texts), BATCH_ROWS):
            encoded = self._tokenizer(
                list(texts[begin : begin + BATCH_ROWS]),
                return_tensors="pt",
                padding=True,
                truncation=True,
                max_length=MAX_TOKENS,
            )
            logits = self._model(**encoded).logits
            found += logits.softmax(dim=-1)[:, self._toxic].tolist()
        return found


def toxicity(texts: Sequence[str], notify: Notify) -> list[float] | None:
    """How toxic each text is, from 0 to 1; None, and told, where the model is not at hand."""
    try:
        model = Toxicity()
    except (OSError, ValueError, KeyError):
        notify(f"toxicity is left out: its model {MODEL} is not in the cache of Hugging Face.")
        return None
    try:
        scores: list[float] = model.of(texts)
    except Exception as error:
        # The rows are written and scored otherwise, which must not be for nothing.
        notify(f"toxicity is left out: its model fails with {first_line(error)}")
        return None
    return scores
