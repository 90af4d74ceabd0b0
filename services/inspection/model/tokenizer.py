"""The model's tokenizer, which counts the tokens of texts and knows the special tokens."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from ft.prompts.notices import SpecialTokens
from rows.errors import DataError, first_line
from rows.tokens import pad_token
from services.inspection.model import chat
from services.inspection.model.chat import ChatTemplate

CONFIGS = ("tokenizer_config.json", "special_tokens_map.json")
"""Files that name special tokens; the first takes precedence."""


class NotCountableError(Exception):
    """There is no tokenizer that tokens could be counted with. The message says why."""


class ModelTokenizer:
    """A tokenizer as the libraries that jobs use load it, without those libraries."""

    def __init__(self, files: dict[str, Path], model: dict[str, Any], rows: int = 0) -> None:
        """`model` is the model's config, `rows` the rows of its embedding; 0 if they are not known.
        Raises NotCountableError."""
        if "tokenizer.json" not in files:
            raise NotCountableError("the model has no tokenizer.json")
        try:
            self._tokenizer = Tokenizer.from_file(str(files["tokenizer.json"]))
        except Exception as error:
            # The library raises plain Exceptions.
            raise NotCountableError(f"tokenizer.json: {first_line(error)}") from error
        # Settings in the file for both are for other uses than training.
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._named = [read_json(files[name]) for name in CONFIGS if name in files]
        try:
            self.chat_template = chat.text_of(files, self._named[0] if self._named else {})
        except DataError as error:
            raise NotCountableError(str(error)) from error
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=True)
        self._beyond = {id: token for token, id in vocabulary.items() if 0 < rows <= id}
        self.end_of_text = self._special("eos_token")
        if not self.end_of_text:
            ids = model.get("eos_token_id")
            first = ids[0] if isinstance(ids, list) and ids else ids
            if isinstance(first, int) and 0 <= first < 2**31:
                self.end_of_text = self._tokenizer.id_to_token(first)

    def pad_token(self) -> str:
        """The token that the trainer pads rows with. Raises TokenError if there is none."""
        return pad_token(
            self.end_of_text,
            self._special("pad_token"),
            self._special("unk_token"),
            self._tokenizer.get_vocab(),
        )

    def unembedded(self) -> tuple[list[str], list[str]]:
        """Tokens that have no row in the embedding: those that are special or added to each text,
        and all others."""
        names = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token")
        used = {self._special(name) for name in names} | {self.end_of_text}
        added = set(self._tokenizer.encode("").ids)
        special: list[str] = []
        others: list[str] = []
        for id, token in sorted(self._beyond.items()):
            (special if id in added or token in used else others).append(f"{token!r} ({id})")
        return special, others

    def beyond(self, texts: Sequence[str], *, whole: bool = False) -> list[str]:
        """The first token of each text that has no row in the embedding; empty if there is none."""
        if not self._beyond:
            return [""] * len(texts)
        encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=not whole)
        return [next((self._beyond[i] for i in e.ids if i in self._beyond), "") for e in encoded]

    def special_tokens(self) -> SpecialTokens:
        """The tokens that the tokenizer or a training adds to a text."""
        added = self._tokenizer.get_added_tokens_decoder().values()
        special = [one.content for one in added if one.special]
        encoded = self._tokenizer.encode("a").ids
        plain = self._tokenizer.encode("a", add_special_tokens=False).ids
        first = "" if encoded[:1] == plain[:1] or not encoded else encoded[0]
        beginning = self._tokenizer.id_to_token(first) if isinstance(first, int) else ""
        return SpecialTokens(self.end_of_text or "", beginning or "", special)

    def lengths(self, texts: Sequence[str], *, whole: bool = False) -> list[int]:
        """Tokens of each text, with those that the tokenizer adds by itself unless they are `whole`
        already."""
        encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=not whole)
        return [len(encoding.ids) for encoding in encoded]

    def chat(self, template: str) -> ChatTemplate | None:
        """Compiles a chat template; returns None if it is empty. Raises DataError if it is
        malformed."""
        names = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token")
        tokens = {name: token for name in names if (token := self._special(name))}
        return ChatTemplate(template, tokens) if template else None

    def _special(self, name: str) -> str | None:
        for config in self._named:
            value = config.get(name)
            content = value.get("content") if isinstance(value, dict) else value
            if isinstance(content, str):
                return content
        return None


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; an empty one if there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
