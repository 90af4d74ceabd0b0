"""Tokens of conversations, and which of them count in the loss."""

from collections.abc import Sequence
from typing import Any

from rows.chat import answer_spans
from rows.chat.checks import Tools
from rows.chat.messages import Message
from rows.errors import DataError
from trainer.data import chat
from trainer.data.chat_template import apply

IGNORED = -100
"""The label of a token that does not count."""


class ChatTokens:
    """Converts conversations to tokens and labels."""

    def __init__(self, tokenizer: Any, *, answers_only: bool) -> None:
        """With `answers_only`, only the tokens that the chat template marks as answers count in the
        loss."""
        self._tokenizer = tokenizer
        self._answers_only = answers_only
        self._template: str | None = None
        if answers_only:
            from trl.chat_template_utils import get_training_chat_template, has_generation_markers

            if not has_generation_markers(tokenizer.chat_template):
                self._template = get_training_chat_template(tokenizer)

    def of(self, talk: Sequence[Message], tools: Tools, text: str) -> dict[str, list[int]]:
        """`input_ids` and `labels` of a conversation whose text is `text`.

        Raises DataError if no token counts in the loss, or if an answer of weight 0 cannot be found
        in the text.
        """
        if self._answers_only:
            answer_spans.require_learned(talk)
            encoded = apply(
                self._tokenizer,
                chat.fitted(talk, self._tokenizer, tools),
                tools,
                chat_template=self._template,
                tokenize=True,
                return_dict=True,
                return_assistant_tokens_mask=True,
            )
            ids, learned = list(encoded["input_ids"]), list(encoded["assistant_masks"])
            if not any(learned):
                raise DataError("the chat template marks no answer for assistant_only_loss")
        else:
            ids = list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
            learned = [1] * len(ids)
        spans = answer_spans.of(
            talk,
            tools,
            text,
            lambda messages, tools: chat.render(messages, self._tokenizer, tools),
            lambda messages, tools: chat.ask(messages, self._tokenizer, tools),
        )
        if spans:
            if not self._tokenizer.is_fast:
                raise DataError("the weight 0 needs a tokenizer that has a tokenizer.json")
            encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
            if list(encoded["input_ids"]) != ids:
                raise DataError(
                    "an answer has the weight 0, and the chat template of assistant_only_loss "
                    "writes another text than the model's own"
                )
            for number, (first, last) in enumerate(encoded["offset_mapping"]):
                if any(first < end and last > begin for begin, end in spans):
                    learned[number] = 0
        labels = [id if one else IGNORED for id, one in zip(ids, learned, strict=True)]
        if all(label == IGNORED for label in labels):
            raise DataError("nothing of it is to be learned")
        return {"input_ids": ids, "labels": labels}
