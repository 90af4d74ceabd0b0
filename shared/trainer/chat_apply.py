"""A tokenizer's chat template, applied so that numbers stand as they do in the data."""

from collections.abc import Sequence
from typing import Any

from transformers.utils import chat_template_utils

from rows import template_json
from rows.chat_checks import Tools
from rows.messages import Message


def apply(
    tokenizer: Any,
    talk: Sequence[Message],
    tools: Tools,
    chat_template: str | None = None,
    **options: Any,
) -> Any:
    """`tokenizer.apply_chat_template`, with a filter `tojson` that keeps the digits of numbers."""
    template = tokenizer.get_chat_template(chat_template, tools)
    # The library keeps what it has compiled, and looks filters up whenever it writes.
    compiled: Any = chat_template_utils._compile_jinja_template(template)
    compiled.environment.filters["tojson"] = template_json.dumps
    return tokenizer.apply_chat_template(
        talk, tools=tools, chat_template=chat_template, **options
    )
