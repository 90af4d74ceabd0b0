"""Limit of the tokens that a model may write in an evaluation, and reports of outputs that reach
it."""

from collections.abc import Sequence
from typing import Any

from rows.errors import DataError
from trainer.data.questions import Questions
from trainer.evaluation.results import Result
from trainer.model.hardware import Notify
from trainer.model.loading import longest_text

SPARE = 0.1
"""Share of extra tokens: a model may write the same text in more tokens than expected."""
LEAST_SPARE = 4
LIMIT = "max_new_tokens"


def tokens_of(texts: Sequence[str], tokenizer: Any) -> list[int]:
    """Number of tokens of each text."""
    encoded = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    return [len(tokens) for tokens in encoded]


def fitted(
    config: dict[str, Any], asked: Questions, tokenizer: Any, model: Any, notify: Notify
) -> dict[str, Any]:
    """The generation config with room for the longest expected answer, within the limits of the
    model.

    A limit that is high enough is kept: scores are then the same as without this.
    """
    longest = max(tokens_of(asked.expected, tokenizer))
    wanted = longest + max(LEAST_SPARE, round(longest * SPARE))
    if wanted <= (config.get(LIMIT) or 0):
        return config
    limit = wanted
    if context := longest_text(model):
        question = max(tokens_of(asked.texts, tokenizer))
        limit = max(min(wanted, context - question), config.get(LIMIT) or 1)
    message = f"{LIMIT} is {limit}: the longest expected answer has {longest} tokens."
    if limit < wanted:
        message = f"{message} The model has room for {context}, including those of the question."
    notify(message)
    return {**config, LIMIT: limit}


def check_asked(results: Sequence[Result], model: Any, notify: Notify) -> None:
    """Reports how many questions leave the model no room to answer. Raises DataError if all do."""
    count = sum(not result.asked for result in results)
    if not count:
        return
    message = (
        f"{count} of {len(results)} questions have at least {longest_text(model)} tokens, the "
        "longest text that the model supports"
    )
    if count == len(results):
        raise DataError(f"{message}: there is nothing to score.")
    notify(f"{message}: they are not asked, and no score is measured on them.")


def report_cut_off(
    results: Sequence[Result], tokenizer: Any, generation: Any, notify: Notify
) -> None:
    """Reports how many outputs were ended by a limit, and how many expected answers are longer than
    it."""
    count = sum(result.cut_off for result in results)
    if not count:
        return
    limit = generation.max_new_tokens
    by = f"{LIMIT} {limit}" if limit else "the limits of the generation_config"
    message = (
        f"{count} of {len(results)} outputs are cut off by {by}, and scored as far as they go "
        "(cut_off in the results)."
    )
    lengths = tokens_of([result.expected_output for result in results], tokenizer)
    if beyond := sum(length > limit for length in lengths) if limit else 0:
        message = (
            f"{message} {beyond} expected answers are longer than that, up to {max(lengths)} "
            f"tokens, and cannot be matched: set {LIMIT} of the generation_config higher."
        )
    notify(message)
