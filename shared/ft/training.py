"""Settings of a training, as far as client, services and jobs have to agree on them: the studio's
own, names that others used to have, and what contradicts what."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = [
    "OF_THE_STUDIO",
    "RENAMED",
    "conflicts",
    "current",
    "evaluation_steps",
    "of_lora",
    "of_prompt",
]

RENAMED = {
    "evaluation_strategy": "eval_strategy",
    "max_seq_length": "max_length",
    "no_cuda": "use_cpu",
    "warmup_ratio": "warmup_steps",
}
"""Names of settings in older library versions, which stored configs and users still use."""

OF_THE_STUDIO: Mapping[str, dict[str, Any]] = {
    "early_stopping_patience": {
        "description": "Evaluations without less loss after which the training ends.",
        "type": ["integer", "null"],
        "minimum": 1,
        "default": None,
    },
    "early_stopping_threshold": {
        "description": "By how much the loss of an evaluation has to be less.",
        "type": "number",
        "minimum": 0,
        "default": 0.0,
    },
    "save_minutes": {
        "description": "Minutes from one checkpoint to the next; 0 saves after every step.",
        "type": "number",
        "minimum": 0,
        "default": 10.0,
    },
}
"""JSON schemas of the settings that the studio adds to those of the libraries."""

_BY_LOSS = ("reduce_lr_on_plateau", "greedy")
"""Schedules of the learning rate that go by the loss of evaluations."""
_LOSS = (None, "loss", "eval_loss")
_EVALUATIONS = 10
"""Steps from one evaluation to the next where the settings do not say."""


def current(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings under the names that they have now. A new name counts where both say
    something."""
    settings = {name: value for name, value in config.items() if name not in RENAMED}
    for old, new in RENAMED.items():
        # `warmup_steps` below 1 is what `warmup_ratio` was; the ratio gave way to the steps.
        if old in config and not settings.get(new):
            settings[new] = config[old]
    return settings


def evaluation_steps(settings: Mapping[str, Any]) -> float:
    """Steps from one evaluation to the next where eval_strategy is steps; below 1, a share of all
    steps."""
    steps: float = settings.get("eval_steps") or settings.get("logging_steps") or _EVALUATIONS
    return steps


def conflicts(config: Mapping[str, Any]) -> list[str]:
    """What contradicts what among the settings of a training, a clause each. The libraries would
    only say so once a job runs, or do not say it at all."""
    settings = current(config)
    return [
        *_without_evaluation(settings),
        *_of_early_stopping(settings),
        *_of_the_best(settings),
        *_of_saving(settings),
        *_of_lengths(settings),
        *_of_loss(settings),
    ]


def of_lora(config: Mapping[str, Any]) -> list[str]:
    """What an adapter's settings ask for that no training can do, a clause each."""
    targets = config.get("target_modules")
    named = targets if isinstance(targets, list) else [targets]
    if "lm_head" in named:
        return [
            "target_modules cannot name lm_head, of which the loss is made directly; "
            "modules_to_save can"
        ]
    return []


def of_prompt(config: Mapping[str, Any], whole: str, beginning: str, completion: str) -> list[str]:
    """What contradicts what between the settings and the prompt's templates: `whole` is its
    prompt_template, `beginning` its input_template."""
    if not config.get("completion_only_loss"):
        return []
    found = []
    if whole != beginning + completion:
        found.append(
            "completion_only_loss needs a prompt whose prompt_template is its input_template with "
            "its completion_template behind it"
        )
    if beginning.endswith((" ", "\t")):
        found.append(
            "completion_only_loss needs an input_template that does not end in a blank: the blank "
            "is one token with what follows, so it belongs to the completion_template"
        )
    return found


def _evaluates(settings: Mapping[str, Any]) -> bool:
    return settings.get("eval_strategy", "no") not in ("no", None)


def _stops_early(settings: Mapping[str, Any]) -> bool:
    return settings.get("early_stopping_patience") is not None


def _without_evaluation(settings: Mapping[str, Any]) -> Iterator[str]:
    if _evaluates(settings):
        return
    scheduler = settings.get("lr_scheduler_type")
    needing = {
        "early_stopping_patience": _stops_early(settings),
        "load_best_model_at_end": bool(settings.get("load_best_model_at_end")),
        "save_strategy best": settings.get("save_strategy") == "best",
        "eval_on_start": bool(settings.get("eval_on_start")),
        **{f"lr_scheduler_type {one}": one == scheduler for one in _BY_LOSS},
    }
    for name, needed in needing.items():
        if needed:
            yield f"{name} needs evaluations during the training: set eval_strategy steps or epoch"


def _of_early_stopping(settings: Mapping[str, Any]) -> Iterator[str]:
    if not _stops_early(settings):
        if settings.get("early_stopping_threshold"):
            yield "early_stopping_threshold has no effect without early_stopping_patience"
    elif settings.get("load_best_model_at_end") is False:
        yield "early_stopping_patience keeps the best step: load_best_model_at_end cannot be false"


def _of_the_best(settings: Mapping[str, Any]) -> Iterator[str]:
    """Of a training that ends with the step that was best."""
    best = _stops_early(settings) or settings.get("load_best_model_at_end")
    if not best and settings.get("save_strategy") != "best":
        return
    if settings.get("metric_for_best_model") not in _LOSS:
        yield "metric_for_best_model must be eval_loss: the training measures nothing else"
    if settings.get("greater_is_better"):
        yield "greater_is_better cannot be true: what is measured is a loss"
    if best and _evaluates(settings):
        yield from _of_steps(settings)


def _of_steps(settings: Mapping[str, Any]) -> Iterator[str]:
    """Only a step that is both evaluated and saved can be gone back to."""
    if "save_minutes" in settings:
        yield "save_minutes cannot be set where the best step is kept: each evaluation saves"
    evaluated = settings["eval_strategy"]
    saved = settings.get("save_strategy", "steps" if "save_steps" in settings else evaluated)
    if saved == "best":
        return
    if saved != evaluated:
        yield f"save_strategy {saved} must be that of eval_strategy, {evaluated}: {_BEST}"
    elif evaluated == "steps" and "save_steps" in settings:
        steps, every = settings["save_steps"], evaluation_steps(settings)
        if min(steps, every) >= 1 and steps % every:
            yield f"save_steps {steps} must be a multiple of eval_steps, {every}: {_BEST}"


_BEST = "the best step is one that is evaluated and saved"


def _of_saving(settings: Mapping[str, Any]) -> Iterator[str]:
    by_steps = [name for name in ("save_strategy", "save_steps") if name in settings]
    if "save_minutes" in settings and by_steps:
        yield f"save_minutes saves by the clock: leave out {' and '.join(by_steps)}"


def _of_lengths(settings: Mapping[str, Any]) -> Iterator[str]:
    unlimited = "max_length" in settings and settings["max_length"] is None
    packing = bool(settings.get("packing"))
    if unlimited and (packing or settings.get("eval_packing")):
        yield "packing fills rows up to max_length, which cannot be null"
    if settings.get("padding_free") and not packing and not unlimited:
        yield "padding_free does not keep to max_length: set packing too, or max_length to null"


def _of_loss(settings: Mapping[str, Any]) -> Iterator[str]:
    if settings.get("completion_only_loss") and settings.get("assistant_only_loss"):
        yield (
            "completion_only_loss is for texts and assistant_only_loss for conversations: "
            "set one of them"
        )
    if settings.get("fp16") and settings.get("bf16"):
        yield "fp16 and bf16 cannot both be true"
