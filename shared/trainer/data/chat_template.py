"""A tokenizer's chat template, applied so that numbers stand as they do in the data."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from transformers.utils import chat_template_utils

from rows import template_json
from rows.chat.checks import Tools
from rows.chat.messages import Message
from rows.values import NumberLiteral

_PLAIN = "_plain_template_data"
"""The library's function that makes plain values of what a template gets."""


def apply(
    tokenizer: Any,
    talk: Sequence[Message],
    tools: Tools,
    chat_template: str | None = None,
    **options: Any,
) -> Any:
    """`tokenizer.apply_chat_template`, which writes numbers by their digits."""
    _keep_numbers()
    template = tokenizer.get_chat_template(chat_template, tools)
    # The library keeps what it has compiled, and looks filters up whenever it writes.
    compiled: Any = chat_template_utils._compile_jinja_template(template)
    compiled.environment.filters["tojson"] = template_json.dumps
    return tokenizer.apply_chat_template(talk, tools=tools, chat_template=chat_template, **options)


@cache
def _keep_numbers() -> None:
    """Has the library hand numbers to templates as they are: floats have lost their digits."""
    plain: Any = getattr(chat_template_utils, _PLAIN, None)
    if plain is not None:  # Older releases hand over everything.
        setattr(
            chat_template_utils,
            _PLAIN,
            lambda value: value if type(value) is NumberLiteral else plain(value),
        )
