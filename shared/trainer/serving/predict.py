"""Serves a model: the base, alone or with an adapter, that the environment names."""

import json
import logging
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ft.job_protocol.exit_status import NOT_TO_BE_REPEATED
from ft.job_protocol.variables import SERVED_ADAPTER, SERVED_BASE, SERVED_GENERATION
from rows.chat import messages
from rows.chat.checks import ChatChecks, Tools
from rows.errors import DataError, RowsError
from trainer.errors import ModelError, SettingsError, TrainerError, explain
from trainer.job.run import quiet_libraries
from trainer.job.tee import open_standard_streams

logger = logging.getLogger(__name__)

MAX_NEW_TOKENS = 256
"""Default limit of an answer."""
PROMPT, MESSAGES, TOOLS = "prompt", "messages", "tools"
"""Fields of a call: a text to continue, or a conversation to answer, which may call tools."""
CHECKED_CALLS = 100
"""Number of first calls whose messages are compared with the chat template's text."""
MAX_BEAMS = 16
LEAST_TEMPERATURE = 1e-6
"""Minimum: logits divided by less are too large to sample from."""
_LARGEST = sys.float_info.max
"""Largest number: whole numbers of JSON may be larger than any float."""


def _whole(low: int, high: float = math.inf) -> tuple[Callable[[Any], bool], str]:
    range_ = f"from {low} on" if high == math.inf else f"from {low} to {high}"
    return (lambda v: type(v) is int and low <= v <= high), f"must be a whole number {range_}"


def _number(holds: Callable[[float], bool], rule: str) -> tuple[Callable[[Any], bool], str]:
    return (lambda v: type(v) in (int, float) and abs(v) <= _LARGEST and holds(v)), rule


OPTIONS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "temperature": _number(
        lambda v: v == 0 or v >= LEAST_TEMPERATURE,
        f"must be 0 (no sampling), or at least {LEAST_TEMPERATURE}",
    ),
    "max_new_tokens": _whole(1),
    "top_p": _number(lambda v: 0 < v <= 1, "must be a number above 0 and at most 1"),
    "top_k": _whole(0),
    "repetition_penalty": _number(lambda v: v > 0, "must be a number above 0"),
    "num_beams": _whole(1, MAX_BEAMS),
}
"""Options of a call, each with a check of its value, and the rule in words."""
_SAMPLING = ("temperature", "top_p", "top_k")


@dataclass(frozen=True)
class PredictionRequest:
    """A text to continue, or the messages of a conversation as the call has them."""

    text: str = ""
    messages: Any = None
    tools: Any = None


class Predictor:
    """A loaded model that answers prompts as it does in an evaluation."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        generation: dict[str, Any],
        notify: Callable[[str], None],
        roles: Mapping[str, str] | None = None,
    ) -> None:
        """`roles` maps roles as in the conversations that were trained on."""
        self._model = model
        self._tokenizer = tokenizer
        self._generation = {"max_new_tokens": MAX_NEW_TOKENS, **generation}
        self._notify = notify
        self._roles = roles or {}
        self._checks = ChatChecks(self._render)
        self._checked_calls, self._reported = 0, set[str]()

    def answer(self, args: Any) -> str:
        """Continues `prompt`, or answers `messages`. Raises ValueError naming the invalid field."""
        from trainer.data import chat
        from trainer.model.generation import continue_texts
        from trainer.model.loading import longest_text
        from trainer.schemas.settings import make_generation_config

        question, options = _parse(args)
        if any(name in options for name in _SAMPLING):
            options["do_sample"] = options.get("temperature") != 0
            if not options["do_sample"]:
                options = {name: v for name, v in options.items() if name not in _SAMPLING}
        whole = question.messages is not None
        text = self._chat_text(question) if whole else question.text
        ends = chat.end_settings(self._model, self._tokenizer, answers=whole)
        wanted = {**ends, **self._generation, **options}
        name = MESSAGES if whole else PROMPT
        if (longest := longest_text(self._model)) is not None:
            used = len(self._tokenizer(text, add_special_tokens=not whole)["input_ids"])
            if used >= longest:
                raise ValueError(f"{name}: must have fewer than {longest} tokens, not {used}")
            wanted["max_new_tokens"] = min(wanted["max_new_tokens"], longest - used)
        try:
            generation = make_generation_config(wanted, self._tokenizer)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        try:
            (continuation,) = continue_texts(
                self._model, self._tokenizer, generation, [text], whole=whole
            )
        except ModelError as error:
            raise ValueError(f"{name}: {error}") from error
        return continuation.text

    def _chat_text(self, question: PredictionRequest) -> str:
        """The text that asks for an answer to messages, as in a training. Reports, once each, parts
        of messages that the chat template leaves out."""
        if not self._tokenizer.chat_template:
            raise ValueError(f"{MESSAGES}: the model has no chat template; give a prompt instead")
        try:
            tools = messages.tools(question.tools)
        except DataError as error:
            raise ValueError(str(error)) from error
        try:
            talk = messages.of(question.messages, self._roles, called=True)
            text = self._render(talk, tools)
        except DataError as error:
            raise ValueError(f"{MESSAGES}: {error}") from error
        if self._checked_calls < CHECKED_CALLS:
            self._checked_calls += 1
            for clause in self._checks.of(talk, tools, text):
                if clause not in self._reported:
                    self._reported.add(clause)
                    self._notify(f"Messages of a call {clause}.")
        return text

    def _render(self, talk: Any, tools: Tools) -> str:
        from trainer.data import chat

        return chat.ask(talk, self._tokenizer, tools)


def load(environment: Mapping[str, str], project: Path, notify: Callable[[str], None]) -> Predictor:
    """Loads what the environment names, and verifies it. Raises TrainerError or RowsError."""
    import torch

    from ft.api import AdapterMetadata, AdapterType, ModelMetadata, ModelType
    from trainer.data import chat
    from trainer.model import adapter_checks, loading, manifest, vocabulary
    from trainer.model.hardware import detect
    from trainer.schemas.settings import make_generation_config
    from trainer.serving import trained_answers

    name, location = environment.get(SERVED_BASE, ""), environment.get(SERVED_ADAPTER, "")
    if not name:
        raise ModelError(f"{SERVED_BASE}: must name the base model.")
    folder = project / location
    local = (project / name / "config.json").is_file()
    source = str(project / name) if local else name
    hardware = detect()
    torch.set_num_threads(hardware.cpus)
    base = ModelMetadata(
        type=ModelType.PROJECT if local else ModelType.HUGGINGFACE,
        huggingface_model_name="" if local else name,
    )
    if location:
        adapter_checks.settle_commit(base, str(folder), notify)
    tokenizer = loading.load_tokenizer(source, base.commit)
    generation = _generation(environment.get(SERVED_GENERATION, ""))
    make_generation_config(generation, tokenizer)
    dtype = loading.weight_type(hardware)
    model = loading.load_model(source, hardware, dtype, None, commit=base.commit, notify=notify)
    vocabulary.check(model, tokenizer, notify)
    if location:
        adapter = AdapterMetadata(type=AdapterType.PROJECT, name=location, location=location)
        model = loading.load_adapter(model, adapter, project, adapter_checks.base_of(base, source))
        loading.require_effect(model, location)
        chat.set_saved_template(str(folder), tokenizer)
        trained_answers.check(folder, model, tokenizer, notify)
    notify(f"{name} {f'with {location}' if location else 'alone'} is ready on {model.device}.")
    roles = manifest.learned_roles(folder) if location else {}
    return Predictor(model, tokenizer, generation, notify, roles)


def load_or_exit(environment: Mapping[str, str]) -> Predictor:
    """Loads a model for a process that serves in the project directory; exits if it cannot be
    loaded."""
    quiet_libraries()
    open_standard_streams()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    try:
        return load(environment, Path.cwd(), logger.info)
    except (TrainerError, RowsError) as error:
        logger.error("%s", explain(error))
        raise SystemExit(NOT_TO_BE_REPEATED) from error


def _generation(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise SettingsError(f"{SERVED_GENERATION}: not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise SettingsError(f"{SERVED_GENERATION}: must be a JSON object.")
    given = {name: value for name, value in found.items() if value is not None}
    if wrong := _option_faults({name: value for name, value in given.items() if name in OPTIONS}):
        raise SettingsError(f"{SERVED_GENERATION}: {'; '.join(wrong)}.")
    return given


def _parse(args: Any) -> tuple[PredictionRequest, dict[str, Any]]:
    """The input and the options of a call. Raises ValueError naming every invalid field."""
    if not isinstance(args, dict):
        raise ValueError("the request must be a JSON object with a prompt, or with messages")
    given = {name: value for name, value in args.items() if value is not None}
    asked = {name: given.pop(name) for name in (PROMPT, MESSAGES, TOOLS) if name in given}
    together = [name for name in (MESSAGES, TOOLS) if PROMPT in asked and name in asked]
    talk, text = asked.get(MESSAGES), asked.get(PROMPT)
    wrong = []
    if together:
        wrong.append(f"{together[0]}: cannot be given together with a {PROMPT}")
    elif MESSAGES in asked:
        if not isinstance(talk, list) or not talk:
            wrong.append(f"{MESSAGES}: must be a list of objects with role and content")
    elif not isinstance(text, str) or not text:
        wrong.append(f"{PROMPT}: give a text that is not empty, or {MESSAGES} instead")
    wrong += _option_faults(given)
    if wrong:
        raise ValueError("; ".join(wrong))
    return PredictionRequest(asked.get(PROMPT, ""), asked.get(MESSAGES), asked.get(TOOLS)), given


def _option_faults(options: dict[str, Any]) -> list[str]:
    """Faults of the options, each with its name."""
    found = []
    for name, value in options.items():
        if name not in OPTIONS:
            found.append(f"{name}: unknown option; known: {', '.join(OPTIONS)}")
        elif not OPTIONS[name][0](value):
            found.append(f"{name}: {OPTIONS[name][1]}, not {value!r:.60}")
    return found
