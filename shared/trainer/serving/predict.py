"""Answers for a served model: the base, with an adapter, that the environment names."""

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
"""Where neither settings nor call say how long an answer may be."""
PROMPT, MESSAGES, TOOLS = "prompt", "messages", "tools"
"""What a call asks: a text to go on with, or a conversation to answer, which may call tools."""
CHECKED_CALLS = 100
"""First calls whose messages are looked at for what the chat template leaves out of them."""
MAX_BEAMS = 16
LEAST_TEMPERATURE = 1e-6
"""Below, what a model's outputs are divided by makes numbers that are too large to draw from."""
_LARGEST = sys.float_info.max
"""A whole number of JSON may be larger than that, and fits nowhere."""


def _whole(low: int, high: float = math.inf) -> tuple[Callable[[Any], bool], str]:
    range_ = f"from {low} on" if high == math.inf else f"from {low} to {high}"
    return (lambda v: type(v) is int and low <= v <= high), f"must be a whole number {range_}"


def _number(holds: Callable[[float], bool], rule: str) -> tuple[Callable[[Any], bool], str]:
    return (lambda v: type(v) in (int, float) and abs(v) <= _LARGEST and holds(v)), rule


OPTIONS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "temperature": _number(
        lambda v: v == 0 or v >= LEAST_TEMPERATURE,
        f"must be 0 (no chance), or a number from {LEAST_TEMPERATURE} on",
    ),
    "max_new_tokens": _whole(1),
    "top_p": _number(lambda v: 0 < v <= 1, "must be a number above 0, 1 at the most"),
    "top_k": _whole(0),
    "repetition_penalty": _number(lambda v: v > 0, "must be a number above 0"),
    "num_beams": _whole(1, MAX_BEAMS),
}
"""What a call may ask for beside its prompt, whether a value will do, and the rule that says so."""
_OF_CHANCE = ("temperature", "top_p", "top_k")


@dataclass(frozen=True)
class PredictionRequest:
    """A text to go on with, or the messages of a conversation as a call has them."""

    text: str = ""
    messages: Any = None
    tools: Any = None


class Predictor:
    """A loaded model that answers prompts, as an evaluation has it answer."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        generation: dict[str, Any],
        notify: Callable[[str], None],
        roles: Mapping[str, str] | None = None,
    ) -> None:
        """`roles` says what roles stood for in the conversations that were trained on."""
        self._model = model
        self._tokenizer = tokenizer
        self._generation = {"max_new_tokens": MAX_NEW_TOKENS, **generation}
        self._notify = notify
        self._roles = roles or {}
        self._checks = ChatChecks(self._render)
        self._looks, self._told = 0, set[str]()

    def answer(self, args: Any) -> str:
        """What the model writes behind `prompt`, or answers to `messages`. Raises ValueError
        naming what is wrong."""
        from trainer.data import chat
        from trainer.model.generation import continue_texts
        from trainer.schemas.settings import make_generation_config

        question, options = _checked(args)
        whole = question.messages is not None
        text = self._written(question) if whole else question.text
        ends = chat.end_settings(self._model, self._tokenizer, answers=whole)
        wanted = {**ends, **self._generation, **_with_chance(options)}
        wanted["max_new_tokens"] = min(wanted["max_new_tokens"], self._room(text, whole=whole))
        try:
            generation = make_generation_config(wanted, self._tokenizer)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        try:
            (continuation,) = continue_texts(
                self._model, self._tokenizer, generation, [text], whole=whole
            )
        except ModelError as error:
            raise ValueError(f"{MESSAGES if whole else PROMPT}: {error}") from error
        return continuation.text

    def _written(self, question: PredictionRequest) -> str:
        """The text that asks for an answer, made of messages as a training makes it of a row's."""
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
        self._tell_unwritten(talk, tools, text)
        return text

    def _render(self, talk: Any, tools: Tools) -> str:
        from trainer.data import chat

        return chat.ask(talk, self._tokenizer, tools)

    def _tell_unwritten(self, talk: list[messages.Message], tools: Tools, text: str) -> None:
        """Tells, once each, what the chat template leaves out of the messages of calls."""
        if self._looks == CHECKED_CALLS:
            return
        self._looks += 1
        for clause in self._checks.of(talk, tools, text):
            if clause not in self._told:
                self._told.add(clause)
                self._notify(f"Messages of a call {clause}.")

    def _room(self, text: str, *, whole: bool) -> float:
        """Tokens that the model can write behind the text."""
        from trainer.model.loading import longest_text

        longest = longest_text(self._model)
        if longest is None:
            return math.inf
        used = len(self._tokenizer(text, add_special_tokens=not whole)["input_ids"])
        if used >= longest:
            name = MESSAGES if whole else PROMPT
            raise ValueError(f"{name}: has {used} tokens, and must have less than {longest}")
        return longest - used


def load(environment: Mapping[str, str], project: Path, notify: Callable[[str], None]) -> Predictor:
    """Loads what the environment names, and verifies it. Raises TrainerError or RowsError."""
    import torch

    from ft.api import AdapterMetadata, AdapterType, ModelMetadata, ModelType
    from trainer.data import chat
    from trainer.model import adapter_checks, manifest, vocabulary
    from trainer.model.hardware import detect
    from trainer.model.loading import (
        load_adapter,
        load_model,
        load_tokenizer,
        require_effect,
        weight_type,
    )
    from trainer.schemas.settings import make_generation_config
    from trainer.serving import trained_answers

    name = environment.get(SERVED_BASE, "")
    if not name:
        raise ModelError(f"{SERVED_BASE}: must name the base model.")
    local = (project / name / "config.json").is_file()
    source = str(project / name) if local else name
    hardware = detect()
    torch.set_num_threads(hardware.cpus)
    location = environment.get(SERVED_ADAPTER, "")
    base = ModelMetadata(
        type=ModelType.PROJECT if local else ModelType.HUGGINGFACE,
        huggingface_model_name="" if local else name,
    )
    if location:
        adapter_checks.settle_commit(base, str(project / location), notify)
    tokenizer = load_tokenizer(source, base.commit)
    generation = _generation(environment.get(SERVED_GENERATION, ""))
    make_generation_config(generation, tokenizer)
    dtype = weight_type(hardware)
    model = load_model(source, hardware, dtype, None, commit=base.commit, notify=notify)
    vocabulary.check(model, tokenizer, notify)
    if location:
        adapter = AdapterMetadata(type=AdapterType.PROJECT, name=location, location=location)
        model = load_adapter(model, adapter, project, adapter_checks.base_of(base, source))
        require_effect(model, location)
        chat.set_saved_template(str(project / location), tokenizer)
        trained_answers.check(project / location, model, tokenizer, notify)
    notify(f"{name} {f'with {location}' if location else 'alone'} is ready on {model.device}.")
    roles = manifest.learned_roles(project / location) if location else {}
    return Predictor(model, tokenizer, generation, notify, roles)


def load_or_exit(environment: Mapping[str, str]) -> Predictor:
    """Loads for a process that serves in the project directory; ends it where that cannot be."""
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
    if wrong := _wrong({name: value for name, value in given.items() if name in OPTIONS}):
        raise SettingsError(f"{SERVED_GENERATION}: {'; '.join(wrong)}.")
    return given


def _checked(args: Any) -> tuple[PredictionRequest, dict[str, Any]]:
    """What is asked, and the options that are given."""
    if not isinstance(args, dict):
        raise ValueError("the request must be a JSON object with a prompt, or with messages")
    given = {name: value for name, value in args.items() if value is not None}
    asked = {name: given.pop(name) for name in (PROMPT, MESSAGES, TOOLS) if name in given}
    wrong = [*_wrong_question(asked), *_wrong(given)]
    if wrong:
        raise ValueError("; ".join(wrong))
    return PredictionRequest(asked.get(PROMPT, ""), asked.get(MESSAGES), asked.get(TOOLS)), given


def _wrong_question(asked: dict[str, Any]) -> list[str]:
    for name in (MESSAGES, TOOLS):
        if PROMPT in asked and name in asked:
            return [f"{name}: cannot be given beside a {PROMPT}"]
    if MESSAGES in asked:
        talk = asked[MESSAGES]
        fits = isinstance(talk, list) and talk
        return [] if fits else [f"{MESSAGES}: must be a list of objects with role and content"]
    text = asked.get(PROMPT)
    if isinstance(text, str) and text:
        return []
    return [f"{PROMPT}: must be given, as a text that is not empty, or {MESSAGES} in its place"]


def _wrong(options: dict[str, Any]) -> list[str]:
    """What is wrong with the options, each by its name."""
    found = []
    for name, value in options.items():
        if name not in OPTIONS:
            found.append(f"{name}: not known; there are {', '.join(OPTIONS)}")
        elif not OPTIONS[name][0](value):
            found.append(f"{name}: {OPTIONS[name][1]}, not {value!r:.60}")
    return found


def _with_chance(options: dict[str, Any]) -> dict[str, Any]:
    """The options, with sampling on where they are about it, and off at temperature 0."""
    if not any(name in options for name in _OF_CHANCE):
        return options
    if options.get("temperature") == 0:
        kept = {name: value for name, value in options.items() if name not in _OF_CHANCE}
        return {**kept, "do_sample": False}
    return {**options, "do_sample": True}
