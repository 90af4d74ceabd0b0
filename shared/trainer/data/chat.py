"""Conversations as texts, written by the tokenizer's chat template."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers import AutoTokenizer

from ft.job_protocol.files import TEMPLATE_FILE
from rows.chat import call_arguments
from rows.chat.checks import Tools
from rows.chat.conversations import MARKERS, NOTHING_WRITTEN, TEMPLATE_FAILURES
from rows.chat.messages import ASSISTANT, Message, for_template
from rows.errors import DataError, first_line
from trainer.data.chat_template import apply
from trainer.errors import ModelError, SettingsError
from trainer.model import hub
from trainer.model.hardware import Notify
from trainer.model.hashes import of_text

NOT_FOR_TEXTS = (
    "assistant_only_loss is for conversations: the prompt_template must be nothing but a column of "
    "them, such as {messages}"
)
_NONE = (
    "the prompt is for conversations, but the base model's tokenizer has no chat template: set "
    "chat_template_path, or use a prompt that makes texts of the rows"
)
_NOT_FOR_CONVERSATIONS = (
    "completion_only_loss is for texts; of conversations, assistant_only_loss trains on the answers"
)
_UNMARKED = (
    "assistant_only_loss needs a chat template that marks the answers with {% generation %} and "
    "{% endgeneration %}; that of the base model's tokenizer does not"
)

_TEMPLATE_FILES = (".jinja", ".j2")
_ANSWER = "An answer."
_TALK = ({"role": "user", "content": "A question?"}, {"role": ASSISTANT, "content": _ANSWER})
"""A sample conversation."""


def setting_faults(settings: Mapping[str, Any], tokenizer: Any) -> list[str]:
    """Reasons why conversations cannot be trained on with these settings, a clause each."""
    found = []
    if settings.get("completion_only_loss"):
        found.append(_NOT_FOR_CONVERSATIONS)
    if not tokenizer.chat_template:
        found.append(_NONE)
    elif settings.get("assistant_only_loss") and not _marks_answers(tokenizer):
        found.append(_UNMARKED)
    return found


def set_template(settings: Mapping[str, Any], tokenizer: Any) -> None:
    """Sets the chat template that the settings name, a file or another tokenizer, if they do.
    Raises SettingsError if it cannot be read."""
    path = str(settings.get("chat_template_path") or "")
    if not path:
        return
    try:
        if path.endswith(_TEMPLATE_FILES):
            tokenizer.chat_template = Path(path).read_text(encoding="utf-8")
        else:
            other = AutoTokenizer.from_pretrained(path, token=hub.token())
            tokenizer.chat_template = other.chat_template
    except (OSError, ValueError) as error:
        why = f"chat_template_path {path} cannot be read: {first_line(error)}"
        raise SettingsError(f"training_arguments_config: {why}") from error


def set_saved_template(adapter: str, tokenizer: Any) -> None:
    """Sets the chat template that an adapter in a folder, or on the hub, was saved with.

    Without one, the tokenizer keeps its own. Raises ModelError if it cannot be read.
    """
    folder = Path(adapter)
    file = folder / TEMPLATE_FILE
    if file.is_file():
        try:
            # As bytes, to keep the line ends.
            template = file.read_bytes().decode()
        except (OSError, ValueError) as error:
            why = f"{file.name} in the adapter's folder cannot be read: {first_line(error)}"
            raise ModelError(why) from error
    elif folder.is_dir() and not (folder / "tokenizer_config.json").is_file():
        return
    else:
        try:
            template = AutoTokenizer.from_pretrained(adapter, token=hub.token()).chat_template
        except (OSError, ValueError):
            return
    tokenizer.chat_template = template or tokenizer.chat_template


def template_hash(tokenizer: Any) -> str:
    """Hash of a tokenizer's chat template; empty if it has none."""
    return of_text(tokenizer.get_chat_template()) if tokenizer.chat_template else ""


def require_template(tokenizer: Any) -> None:
    """Raises ModelError if the tokenizer has no chat template."""
    if not tokenizer.chat_template:
        raise ModelError("Neither the base model nor the adapter has a chat template.")


def render(messages: Sequence[Message], tokenizer: Any, tools: Tools = None) -> str:
    """The text of a conversation that may call `tools`. Raises DataError with the template's
    error."""
    return _written(messages, tools, tokenizer, ask=False)


def ask(messages: Sequence[Message], tokenizer: Any, tools: Tools = None) -> str:
    """The text after which the model is to answer the conversation, with every special token.
    Raises DataError with the template's error, or if it writes nothing."""
    text = _written(messages, tools, tokenizer, ask=True)
    if not text:
        raise DataError(NOTHING_WRITTEN)
    return text


def _written(messages: Sequence[Message], tools: Tools, tokenizer: Any, *, ask: bool) -> str:
    return _fitted(messages, tools, tokenizer, ask=ask)[1]


def fitted(messages: Sequence[Message], tokenizer: Any, tools: Tools = None) -> list[Message]:
    """The messages in the form that the chat template expects. Raises DataError as `render`
    does."""
    return _fitted(messages, tools, tokenizer, ask=False)[0]


def _fitted(
    messages: Sequence[Message], tools: Tools, tokenizer: Any, *, ask: bool
) -> tuple[list[Message], str]:
    def write(talk: list[Message]) -> str:
        return str(apply(tokenizer, talk, tools, tokenize=False, add_generation_prompt=ask))

    try:
        return call_arguments.fitted(for_template(messages), write)
    except (TemplateError, *TEMPLATE_FAILURES) as error:
        raise DataError(f"the chat template refuses it: {first_line(error)}") from error


def end_tokens(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end an answer: the one that the chat template writes after it, and those that
    end a text."""
    own = getattr(model.generation_config, "eos_token_id", None)
    found = [tokenizer.eos_token_id, *(own if isinstance(own, list) else [own])]
    try:
        _, answer, rest = render(_TALK, tokenizer).rpartition(_ANSWER)
    except DataError:
        answer = rest = ""
    if answer:
        special = set(tokenizer.get_added_vocab().values())
        tokens = tokenizer(rest, add_special_tokens=False)["input_ids"]
        found.insert(0, next((token for token in tokens if token in special), None))
    return list(dict.fromkeys(token for token in found if token is not None))


def end_settings(model: Any, tokenizer: Any, *, answers: bool) -> dict[str, list[int]]:
    """Generation settings that end `answers` to conversations; empty for texts, which end as the
    model's own settings say."""
    return {"eos_token_id": end_tokens(model, tokenizer)} if answers else {}


def check_end(text: str, tokenizer: Any, notify: Notify) -> None:
    """Reports if a conversation's text does not end with a special token: the model would not learn
    to stop."""
    text = text.rstrip()
    if not text.endswith(tuple(tokenizer.get_added_vocab())):
        notify(
            "The chat template writes no special token at the end of an answer: the model will not "
            "learn to stop."
        )


def _marks_answers(tokenizer: Any) -> bool:
    """Tells whether the chat template, or the library's version of it, marks the answers."""
    from trl.chat_template_utils import get_training_chat_template

    template = tokenizer.chat_template
    if MARKERS.search(template.get("default", "") if isinstance(template, dict) else template):
        return True
    try:
        # The library has versions with marks for the templates of well-known models.
        get_training_chat_template(tokenizer)
    except ValueError:
        return False
    return True
