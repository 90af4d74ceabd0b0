"""Checks that a model has an embedding for every token of its tokenizer."""

from typing import Any

from ft.adapters.weight_files import shown
from trainer.errors import ModelError
from trainer.model.hardware import Notify

_SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token")


def check(model: Any, tokenizer: Any, notify: Notify) -> None:
    """Raises ModelError for a special token without an embedding. Other such tokens, which texts
    need not have, are a notice.

    Embeddings without a token are usual.
    """
    rows = _rows(model)
    added = {one: "added to each text" for one in tokenizer("")["input_ids"] if one >= rows}
    for name in _SPECIAL:
        token = getattr(tokenizer, f"{name}_id", None)
        if token is not None and token >= rows:
            added.setdefault(token, name)
    if added:
        names = [f"{_name(tokenizer, one)} ({why})" for one, why in sorted(added.items())]
        raise _without_embedding(names, rows)
    others = {one: token for token, one in tokenizer.get_vocab().items() if one >= rows}
    if others:
        names = [f"{token!r} ({one})" for one, token in sorted(others.items())]
        notify(
            f"{len(names)} tokens of the tokenizer have no embedding in the model, which has "
            f"{rows:,} rows: {shown(names)}. A text with one of them is refused."
        )


def require(ids: Any, model: Any, tokenizer: Any) -> None:
    """Raises ModelError naming tokens among `ids`, a tensor or an array, that have no embedding."""
    rows = _rows(model)
    if rows and ids.size and int(ids.max()) >= rows:
        wrong = sorted({int(one) for one in ids[ids >= rows].flatten().tolist()})
        raise _without_embedding([_name(tokenizer, one) for one in wrong], rows)


def _rows(model: Any) -> int:
    return int(model.get_input_embeddings().weight.shape[0])


def _name(tokenizer: Any, id: int) -> str:
    return f"{tokenizer.convert_ids_to_tokens(id)!r} with the number {id}"


def _without_embedding(names: list[str], rows: int) -> ModelError:
    return ModelError(
        f"The model's embedding has {rows:,} rows, and its tokenizer has tokens beyond them: "
        f"{shown(names)}. Use the tokenizer that belongs to the model, or resize the model's "
        "embeddings and save it."
    )
