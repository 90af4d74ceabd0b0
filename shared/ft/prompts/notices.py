"""Notices about the templates of a prompt: allowed texts that harm training or scores."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ft.prompts.templates import TemplateFault, parse, visible

__all__ = ["Notice", "NoticeKind", "SpecialTokens", "notices"]

WELL_KNOWN_ENDS = (
    "</s>",
    "<eos>",
    "[EOS]",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<end_of_turn>",
    "<｜end▁of▁sentence｜>",  # noqa: RUF001  # As the model's vocabulary has it.
)
"""Spellings of the token that ends a text or an answer, in tokenizers of known models."""
WELL_KNOWN_BEGINNINGS = (
    "<s>",
    "<bos>",
    "[BOS]",
    "<|startoftext|>",
    "<|begin_of_text|>",
    "<｜begin▁of▁sentence｜>",  # noqa: RUF001
)
"""Spellings of the token that begins a text."""
_SHOWN = 40
_DOUBLED = re.compile(r"\{\{+([^{}]*)\}\}+")


class NoticeKind(StrEnum):
    """Subjects of notices."""

    BLANK = "blank"
    """A blank at the end of the input_template."""
    WHOLE = "whole"
    """A prompt_template that is not the input_template with the completion_template behind it."""
    TOKENS = "tokens"
    """Special tokens that the tokenizer adds as well, or that comparisons of answers ignore."""
    BRACES = "braces"
    """Doubled braces around the name of a column."""


@dataclass(frozen=True)
class Notice:
    """One notice about one template."""

    field: str
    kind: NoticeKind
    text: str


@dataclass(frozen=True)
class SpecialTokens:
    """Special tokens of a model's tokenizer."""

    end: str
    """Token that training adds after a text; empty for none."""
    beginning: str
    """Token that the tokenizer adds before a text; empty for none."""
    others: Collection[str] = ()
    """Tokens that are removed from what a model writes."""


def notices(
    templates: Mapping[str, str], columns: Collection[str], tokens: SpecialTokens | None = None
) -> list[Notice]:
    """Finds likely mistakes in the templates of a prompt, given by field name.

    Without `tokens`, well-known spellings count as special tokens. There are no notices for
    malformed templates, nor if all templates consist of the same column, such as `{messages}`.
    """
    try:
        parsed = {name: parse(text, columns) for name, text in templates.items()}
    except TemplateFault:
        return []
    found = list(_brace_notices(templates, columns))
    bare = {template.bare_column for template in parsed.values()}
    if len(bare) == 1 and "" not in bare:
        return found
    return [*found, *_text_notices(templates), *_token_notices(templates, tokens)]


def _brace_notices(templates: Mapping[str, str], columns: Collection[str]) -> Iterator[Notice]:
    for field, text in templates.items():
        for found in _DOUBLED.finditer(text):
            name = found[1].strip()
            # {{{a}}} is a value in braces.
            if name in columns and found[0].startswith("{{") and not found[0].startswith("{{{"):
                yield Notice(
                    field,
                    NoticeKind.BRACES,
                    f"{found[0]} is the text {{{found[1]}}}, not the value of the column: doubled "
                    f"braces are literal braces; for the value write {{{name}}}",
                )


def _text_notices(templates: Mapping[str, str]) -> Iterator[Notice]:
    """Notices about texts that differ between training and use."""
    whole, beginning, completion = (
        templates[name] for name in ("prompt_template", "input_template", "completion_template")
    )
    ends_line = beginning[-1:] in ("\r", "\n") and not completion[:1].isspace()
    if beginning != beginning.rstrip() and not ends_line:
        yield Notice(
            "input_template",
            NoticeKind.BLANK,
            f"ends with whitespace: {visible(beginning[-_SHOWN:])} (whitespace and the text after "
            "it are often one token, so the model would be asked with tokens that it was not "
            "trained on, and exact matches can drop to zero); move the whitespace to the beginning "
            "of the completion_template",
        )
    rest = whole.removeprefix(beginning)
    if not whole.startswith(beginning):
        pairs = enumerate(zip(whole, beginning, strict=False))
        same = next((at for at, (one, two) in pairs if one != two), min(len(whole), len(beginning)))
        asked, trained = (
            visible(text[same : same + _SHOWN]) or "nothing" for text in (beginning, whole)
        )
        yield Notice(
            "prompt_template",
            NoticeKind.WHOLE,
            "does not begin with the input_template: the model is asked with a different text "
            f"than it was trained on; they differ from character {same + 1}: {asked} is asked, "
            f"{trained} was trained on",
        )
    elif rest.strip() != completion.strip():
        yield Notice(
            "prompt_template",
            NoticeKind.WHOLE,
            f"continues with {visible(rest[:_SHOWN])} after the input_template, "
            f"but the completion_template is {visible(completion[:_SHOWN])}: the model learns "
            "answers that differ from the expected ones",
        )


def _token_notices(templates: Mapping[str, str], tokens: SpecialTokens | None) -> Iterator[Notice]:
    ends = WELL_KNOWN_ENDS if tokens is None else (tokens.end,)
    beginnings = WELL_KNOWN_BEGINNINGS if tokens is None else (tokens.beginning,)
    unsure = " (this is a common spelling; the check of a job uses the model's tokenizer)"
    sure = "" if tokens else unsure
    for field in ("prompt_template", "completion_template"):
        text = templates[field].rstrip()
        if end := next((one for one in ends if one and text.endswith(one)), ""):
            yield Notice(
                field,
                NoticeKind.TOKENS,
                f"ends with {end}, but training adds the end-of-text token to each text: remove "
                f"it, or it occurs twice{sure}",
            )
    for field in ("prompt_template", "input_template"):
        text = templates[field].lstrip()
        if begin := next((one for one in beginnings if one and text.startswith(one)), ""):
            yield Notice(
                field,
                NoticeKind.TOKENS,
                f"begins with {begin}, but the tokenizer adds its own before each text: remove "
                f"it, or it occurs twice{sure}",
            )
    special = (*WELL_KNOWN_ENDS, *WELL_KNOWN_BEGINNINGS) if tokens is None else tokens.others
    completion = templates["completion_template"]
    if held := next((one for one in special if one and one in completion), ""):
        yield Notice(
            "completion_template",
            NoticeKind.TOKENS,
            f"contains {held}, but answers are compared without special tokens: no answer would "
            f"be an exact match{sure}",
        )
