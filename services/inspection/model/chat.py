"""The model's chat template, which writes conversations out as the libraries that jobs use do."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ft.job_protocol.files import TEMPLATE_FILE
from rows import template_json
from rows.chat import call_arguments, conversations
from rows.chat.checks import Tools
from rows.chat.messages import Message, for_template
from rows.errors import DataError, first_line


def text_of(files: Mapping[str, Path], tokenizer_config: Mapping[str, Any]) -> str:
    """The template of a model's files; empty if it has none. Raises DataError if it cannot be
    read."""
    if TEMPLATE_FILE in files:
        try:
            return files[TEMPLATE_FILE].read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise DataError(f"{TEMPLATE_FILE} cannot be read: {first_line(error)}") from error
    template = tokenizer_config.get("chat_template")
    if isinstance(template, list):
        named = {one.get("name"): one.get("template") for one in template if isinstance(one, dict)}
        template = named.get("default")
    return template if isinstance(template, str) else ""


class ChatTemplate:
    """A template, ready to write out conversations."""

    def __init__(self, text: str, tokens: Mapping[str, str]) -> None:
        """`tokens` are the special tokens by what they are for, such as `eos_token`.

        Raises DataError if the text is no template.
        """
        self.marked = bool(conversations.MARKERS.search(text))
        self._tokens = tokens
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
        )
        environment.filters["tojson"] = template_json.dumps

        def raise_exception(message: object) -> NoReturn:
            raise TemplateError(str(message))

        def strftime_now(format: str) -> str:
            return datetime.now().strftime(format)

        environment.globals |= {
            "raise_exception": raise_exception,
            "strftime_now": strftime_now,
        }
        try:
            self._template = environment.from_string(text)
        except (TemplateError, RecursionError) as error:
            raise DataError(f"the chat template is malformed: {first_line(error)}") from error

    def render(self, messages: Sequence[Message], tools: Tools = None, *, ask: bool = False) -> str:
        """The text of a conversation that may call `tools`; with the beginning of an answer behind
        it to `ask` for one.

        Raises DataError with what the template says against it, or if there is nothing to answer.
        """

        def write(talk: list[Message]) -> str:
            return self._template.render(
                messages=talk,
                tools=tools,
                documents=None,
                add_generation_prompt=ask,
                **self._tokens,
            )

        try:
            text = call_arguments.fitted(for_template(messages), write)[1]
        except (TemplateError, *conversations.TEMPLATE_FAILURES) as error:
            raise DataError(f"the chat template refuses it: {first_line(error)}") from error
        if ask and not text:
            raise DataError(conversations.NOTHING_WRITTEN)
        return text


class _Generation(Extension):
    """Takes `{% generation %}`, which only matters where a loss is made of it."""

    tags = {"generation"}  # noqa: RUF012  # Declared by the library.

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)
