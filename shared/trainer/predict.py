"""Answers for a served model: the base, with an adapter, that the environment names."""

import json
import logging
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rows.errors import RowsError
from trainer.errors import ModelError, SettingsError, TrainerError, explain
from trainer.job import quiet_libraries

logger = logging.getLogger(__name__)

BASE = "FINE_TUNING_STUDIO_BASE_MODEL_HF_NAME"
"""A model's name on the hub, or its directory in the project."""
ADAPTER = "FINE_TUNING_STUDIO_ADAPTER_LOCATION"
"""The adapter's directory in the project; empty for the base alone."""
GENERATION = "FINE_TUNING_STUDIO_GEN_CONFIG_STRING"
"""JSON of generation settings that hold where a call gives none."""
NEVER = 78
"""Exit status that says that to try again is of no use (EX_CONFIG)."""
MAX_NEW_TOKENS = 256
"""Where neither settings nor call say how long an answer may be."""
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


class Predictor:
    """A loaded model that answers prompts, as evaluation has it answer."""

    def __init__(self, model: Any, tokenizer: Any, generation: dict[str, Any]) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._generation = {"max_new_tokens": MAX_NEW_TOKENS, **generation}

    def answer(self, args: Any) -> str:
        """What the model writes behind `prompt`. Raises ValueError naming what is wrong."""
        from trainer.generate import continue_texts
        from trainer.settings import make_generation_config

        prompt, options = _checked(args)
        wanted = {**self._generation, **_with_chance(options)}
        wanted["max_new_tokens"] = min(wanted["max_new_tokens"], self._room(prompt))
        try:
            generation = make_generation_config(wanted, self._tokenizer)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        (continuation,) = continue_texts(self._model, self._tokenizer, generation, [prompt])
        return continuation.text

    def _room(self, prompt: str) -> float:
        """Tokens that the model can write behind the prompt."""
        from trainer.model import longest_text

        longest = longest_text(self._model)
        if longest is None:
            return math.inf
        used = len(self._tokenizer(prompt)["input_ids"])
        if used >= longest:
            raise ValueError(f"prompt: has {used} tokens, and must have less than {longest}")
        return longest - used


def load(environment: Mapping[str, str], project: Path, notify: Callable[[str], None]) -> Predictor:
    """Loads what the environment names, and verifies it. Raises TrainerError or RowsError."""
    import torch

    from ft.api import AdapterMetadata, AdapterType
    from trainer import trained_answers
    from trainer.hardware import detect
    from trainer.model import load_adapter, load_model, load_tokenizer, weight_type
    from trainer.settings import make_generation_config

    name = environment.get(BASE, "")
    if not name:
        raise ModelError(f"{BASE}: must name the base model.")
    local = (project / name / "config.json").is_file()
    source = str(project / name) if local else name
    hardware = detect()
    torch.set_num_threads(hardware.cpus)
    tokenizer = load_tokenizer(source)
    generation = _generation(environment.get(GENERATION, ""))
    make_generation_config(generation, tokenizer)
    model = load_model(source, hardware, weight_type(hardware), None)
    if location := environment.get(ADAPTER, ""):
        adapter = AdapterMetadata(type=AdapterType.PROJECT, name=location, location=location)
        model = load_adapter(model, adapter, project)
        trained_answers.check(project / location, model, tokenizer, notify)
    notify(f"{name} {f'with {location}' if location else 'alone'} is ready on {model.device}.")
    return Predictor(model, tokenizer, generation)


def load_or_exit(environment: Mapping[str, str]) -> Predictor:
    """Loads for a process that serves in the project directory; ends it where that cannot be."""
    quiet_libraries()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    try:
        return load(environment, Path.cwd(), logger.info)
    except (TrainerError, RowsError) as error:
        logger.error("%s", explain(error))
        raise SystemExit(NEVER) from error


def _generation(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise SettingsError(f"{GENERATION}: not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise SettingsError(f"{GENERATION}: must be a JSON object.")
    given = {name: value for name, value in found.items() if value is not None}
    if wrong := _wrong({name: value for name, value in given.items() if name in OPTIONS}):
        raise SettingsError(f"{GENERATION}: {'; '.join(wrong)}.")
    return given


def _checked(args: Any) -> tuple[str, dict[str, Any]]:
    """The prompt, and the options that are given."""
    if not isinstance(args, dict):
        raise ValueError("the request must be a JSON object with a prompt")
    options = {
        name: value for name, value in args.items() if name != "prompt" and value is not None
    }
    wrong = _wrong(options)
    if not isinstance(args.get("prompt"), str) or not args["prompt"]:
        wrong.insert(0, "prompt: must be given, as a text that is not empty")
    if wrong:
        raise ValueError("; ".join(wrong))
    return args["prompt"], options


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
