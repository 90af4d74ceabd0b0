"""Notices about the templates of a prompt: what is allowed, and hurts what is trained or scored."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ft.prompts.templates import Template, TemplateFault, parse, visible

__all__ = ["Kind", "Notice", "SpecialTokens", "notices"]

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


class Kind(StrEnum):
    """Subjects of notices."""

    BLANK = "blank"
    """A blank at the end of the input_template."""
    WHOLE = "whole"
    """A prompt_template that is not the input_template with the completion_template behind it."""
    TOKENS = "tokens"
    """Special tokens that the tokenizer writes too, or that an answer is compared without."""
    BRACES = "braces"
    """Doubled braces around the name of a column."""


@dataclass(frozen=True)
class Notice:
    """One notice about one template."""

    field: str
    kind: Kind
    text: str


@dataclass(frozen=True)
class SpecialTokens:
    """Special tokens of a model's tokenizer."""

    end: str
    """Token that training adds after a text; empty for none."""
    beginning: str
    """Token that the tokenizer adds before a text; empty for none."""
    others: Collection[str] = ()
    """Those that are left out of what a model writes."""


def notices(
    templates: Mapping[str, str], columns: Collection[str], tokens: SpecialTokens | None = None
) -> list[Notice]:
    """Finds likely mistakes in the templates of a prompt, given by field name.

    Without `tokens`, well-known spellings are taken for special tokens. Templates that are
    malformed, and those that all hand over one column as it is, such as `{messages}`, have none.
    """
    try:
        parsed = {name: parse(text, columns) for name, text in templates.items()}
    except TemplateFault:
        return []
    found = list(_of_braces(templates, columns))
    handed_over = {_handed_over(one) for one in parsed.values()}
    if len(handed_over) == 1 and "" not in handed_over:
        return found
    whole, beginning, completion = (
        templates[name] for name in ("prompt_template", "input_template", "completion_template")
    )
    found += _of_blanks(beginning, completion)
    found += _of_whole(whole, beginning, completion)
    found += _of_tokens(templates, tokens)
    return found


def _handed_over(template: Template) -> str:
    """The column that a template consists of; empty if it has more."""
    parts = [one for one in template.parts if not (isinstance(one, str) and not one.strip())]
    alone = parts[0] if len(parts) == 1 else ""
    return "" if isinstance(alone, str) or alone.items else alone.column


def _of_braces(templates: Mapping[str, str], columns: Collection[str]) -> Iterator[Notice]:
    for field, text in templates.items():
        for found in _DOUBLED.finditer(text):
            name = found[1].strip()
            # {{{a}}} is a value in braces.
            if name in columns and found[0].startswith("{{") and not found[0].startswith("{{{"):
                yield Notice(
                    field,
                    Kind.BRACES,
                    f"{found[0]} is the text {{{found[1]}}}, not the value of the column: doubled "
                    f"braces are literal braces; for the value write {{{name}}}",
                )


def _of_blanks(beginning: str, completion: str) -> Iterator[Notice]:
    blanks = len(beginning) - len(beginning.rstrip())
    last = beginning[-1:]
    if not blanks or (last in "\r\n" and not completion[:1].isspace()):
        return
    yield Notice(
        "input_template",
        Kind.BLANK,
        f"ends with whitespace: {visible(beginning[-_SHOWN:])} (whitespace and the text after it "
        "are often one token, so the model would be asked with tokens that it was not trained on, "
        "and exact matches can drop to zero); move the whitespace to the beginning of the "
        "completion_template",
    )


def _of_whole(whole: str, beginning: str, completion: str) -> Iterator[Notice]:
    if not whole.startswith(beginning):
        yield Notice(
            "prompt_template",
            Kind.WHOLE,
            "does not begin with the input_template: the model is asked with a different text "
            f"than it was trained on; {_difference(whole, beginning)}",
        )
    elif whole[len(beginning) :].strip() != completion.strip():
        yield Notice(
            "prompt_template",
            Kind.WHOLE,
            f"continues with {visible(whole[len(beginning) :][:_SHOWN])} after the input_template, "
            f"but the completion_template is {visible(completion[:_SHOWN])}: the model learns "
            "answers that differ from the expected ones",
        )


def _difference(whole: str, beginning: str) -> str:
    same = next(
        (at for at, pair in enumerate(zip(whole, beginning, strict=False)) if pair[0] != pair[1]),
        min(len(whole), len(beginning)),
    )
    shown = (visible(text[same : same + _SHOWN]) or "nothing" for text in (beginning, whole))
    asked, trained = shown
    return f"they differ from character {same + 1}: {asked} is asked, {trained} was trained on"


def _of_tokens(templates: Mapping[str, str], tokens: SpecialTokens | None) -> Iterator[Notice]:
    ends = WELL_KNOWN_ENDS if tokens is None else (tokens.end,)
    beginnings = WELL_KNOWN_BEGINNINGS if tokens is None else (tokens.beginning,)
    unsure = " (this is a common spelling; the check of a job uses the model's tokenizer)"
    sure = "" if tokens else unsure
    for field in ("prompt_template", "completion_template"):
        text = templates[field].rstrip()
        if end := next((one for one in ends if one and text.endswith(one)), ""):
            yield Notice(
                field,
                Kind.TOKENS,
                f"ends with {end}, but training adds the end-of-text token to each text: remove "
                f"it, or it occurs twice{sure}",
            )
    for field in ("prompt_template", "input_template"):
        text = templates[field].lstrip()
        if begin := next((one for one in beginnings if one and text.startswith(one)), ""):
            yield Notice(
                field,
                Kind.TOKENS,
                f"begins with {begin}, but the tokenizer adds its own before each text: remove "
                f"it, or it occurs twice{sure}",
            )
    special = (*WELL_KNOWN_ENDS, *WELL_KNOWN_BEGINNINGS) if tokens is None else tokens.others
    completion = templates["completion_template"]
    if held := next((one for one in special if one and one in completion), ""):
        yield Notice(
            "completion_template",
            Kind.TOKENS,
            f"contains {held}, but answers are compared without special tokens: no answer would "
            f"be an exact match{sure}",
        )
