"""Application of a tokenizer's chat template, with numbers as they are written in the data."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from transformers.utils import chat_template_utils

from rows import template_json
from rows.chat.checks import Tools
from rows.chat.messages import Message
from rows.values import NumberLiteral

_PLAIN = "_plain_template_data"
"""The library's function that converts the values passed to a template."""


def apply(
    tokenizer: Any,
    talk: Sequence[Message],
    tools: Tools,
    chat_template: str | None = None,
    **options: Any,
) -> Any:
    """`tokenizer.apply_chat_template`, but with numbers by the digits they were written with."""
    _keep_numbers()
    template = tokenizer.get_chat_template(chat_template, tools)
    # The library caches compiled templates, and looks up filters at each use.
    compiled: Any = chat_template_utils._compile_jinja_template(template)
    compiled.environment.filters["tojson"] = template_json.dumps
    return tokenizer.apply_chat_template(talk, tools=tools, chat_template=chat_template, **options)


@cache
def _keep_numbers() -> None:
    """Makes the library pass number literals to templates unchanged: floats would lose their
    digits."""
    plain: Any = getattr(chat_template_utils, _PLAIN, None)
    if plain is not None:  # Older releases pass everything.
        setattr(
            chat_template_utils,
            _PLAIN,
            lambda value: value if type(value) is NumberLiteral else plain(value),
        )
