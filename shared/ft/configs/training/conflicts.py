"""Settings of a training that contradict each other, or the prompt."""

from collections.abc import Iterator, Mapping
from typing import Any

from ft.configs import schedules
from ft.configs.training.optimisers import argument_faults
from ft.configs.training.settings import RENAMED, evaluation_steps, with_current_names

__all__ = ["conflicts", "prompt_conflicts"]

_LEAST_RATE = 1e-12
"""A learning rate below it does not change a weight of 32 bits."""
_SCHEDULES_BY_LOSS = ("reduce_lr_on_plateau", "greedy")
"""Schedules of the learning rate that use the loss of evaluations."""
_LOSS_METRICS = (None, "loss", "eval_loss")
_BEST = "the best step is one that is evaluated and saved"
_CHECKPOINTING_ARGUMENTS = ("use_reentrant", "preserve_rng_state", "selective")


def conflicts(config: Mapping[str, Any]) -> list[str]:
    """Settings that contradict each other, a clause each.

    The libraries report some of these only when a job runs, and others never.
    """
    settings = with_current_names(config)
    return [
        *_evaluation_conflicts(settings),
        *_best_step_conflicts(settings),
        *_data_and_loss_conflicts(settings),
        *_rate_conflicts(config, settings),
        *_loading_and_memory_conflicts(settings),
        *argument_faults(settings),
    ]


def prompt_conflicts(
    config: Mapping[str, Any], whole: str, beginning: str, completion: str
) -> list[str]:
    """Contradictions between the settings and the prompt's templates, a clause each.

    The templates are its prompt_template, input_template and completion_template.
    """
    if not config.get("completion_only_loss"):
        return []
    found = []
    if whole != beginning + completion:
        found.append(
            "completion_only_loss needs a prompt whose prompt_template is its input_template "
            "followed by its completion_template"
        )
    if beginning.endswith((" ", "\t")):
        found.append(
            "completion_only_loss needs an input_template that does not end in a blank: the blank "
            "is one token with what follows, so it belongs to the completion_template"
        )
    return found


def _evaluation_conflicts(settings: Mapping[str, Any]) -> Iterator[str]:
    stops_early = settings.get("early_stopping_patience") is not None
    if not _evaluates(settings):
        scheduler = settings.get("lr_scheduler_type")
        needing = {
            "early_stopping_patience": stops_early,
            "load_best_model_at_end": settings.get("load_best_model_at_end"),
            "save_strategy best": settings.get("save_strategy") == "best",
            "eval_on_start": settings.get("eval_on_start"),
            **{f"lr_scheduler_type {one}": one == scheduler for one in _SCHEDULES_BY_LOSS},
        }
        yield from (
            f"{name} needs evaluations during the training: set eval_strategy steps or epoch"
            for name, is_set in needing.items()
            if is_set
        )
    if not stops_early and settings.get("early_stopping_threshold"):
        yield "early_stopping_threshold has no effect without early_stopping_patience"
    if stops_early and settings.get("load_best_model_at_end") is False:
        yield "early_stopping_patience keeps the best step: load_best_model_at_end cannot be false"


def _best_step_conflicts(settings: Mapping[str, Any]) -> Iterator[str]:
    """Conflicts of a training that ends with its best step, and of the times of its checkpoints."""
    stops_early = settings.get("early_stopping_patience") is not None
    keeps_best = stops_early or settings.get("load_best_model_at_end")
    if keeps_best or settings.get("save_strategy") == "best":
        if settings.get("metric_for_best_model") not in _LOSS_METRICS:
            yield "metric_for_best_model must be eval_loss: the training measures nothing else"
        if settings.get("greater_is_better"):
            yield "greater_is_better cannot be true: what is measured is a loss"
    if keeps_best and _evaluates(settings):
        # Only a step that is both evaluated and saved can be the result.
        if "save_minutes" in settings:
            yield "save_minutes cannot be set where the best step is kept: each evaluation saves"
        evaluated = settings["eval_strategy"]
        saved = settings.get("save_strategy", "steps" if "save_steps" in settings else evaluated)
        if saved not in ("best", evaluated):
            yield f"save_strategy {saved} must be equal to eval_strategy {evaluated}: {_BEST}"
        elif saved == "steps" and "save_steps" in settings:
            steps, every = settings["save_steps"], evaluation_steps(settings)
            if min(steps, every) >= 1 and steps % every:
                yield f"save_steps {steps} must be a multiple of eval_steps, {every}: {_BEST}"
    by_steps = [name for name in ("save_strategy", "save_steps") if name in settings]
    if "save_minutes" in settings and by_steps:
        yield f"save_minutes saves by the clock: leave out {' and '.join(by_steps)}"


def _data_and_loss_conflicts(settings: Mapping[str, Any]) -> Iterator[str]:
    unlimited = "max_length" in settings and settings["max_length"] is None
    packing = bool(settings.get("packing"))
    if unlimited and (packing or settings.get("eval_packing")):
        yield "packing fills rows up to max_length, which cannot be null"
    if settings.get("padding_free") and not packing and not unlimited:
        yield "padding_free does not keep to max_length: set packing too, or max_length to null"
    if settings.get("completion_only_loss") and settings.get("assistant_only_loss"):
        yield (
            "completion_only_loss is for texts and assistant_only_loss for conversations: "
            "set one of them"
        )
    if settings.get("loss_type") == "dft" and settings.get("label_smoothing_factor"):
        yield "label_smoothing_factor has no effect on loss_type dft: set one of them"
    if settings.get("fp16") and settings.get("bf16"):
        yield "fp16 and bf16 cannot both be true"


def _rate_conflicts(config: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    for old, new in RENAMED.items():
        if old in config and new in config and old != "warmup_ratio" and config[old] != config[new]:
            yield f"{old} is now called {new}, and both are set to different values: set only {new}"
    rate = settings.get("learning_rate")
    if isinstance(rate, int | float) and 0 < rate < _LEAST_RATE:
        yield f"learning_rate {rate} is too small to change a weight: it must be from {_LEAST_RATE}"
    yield from schedules.faults(settings)


def _loading_and_memory_conflicts(settings: Mapping[str, Any]) -> Iterator[str]:
    if not settings.get("dataloader_num_workers"):
        for name in ("dataloader_prefetch_factor", "dataloader_multiprocessing_context"):
            if settings.get(name) is not None:
                yield f"{name} needs dataloader_num_workers above 0"
        if settings.get("dataloader_persistent_workers"):
            yield "dataloader_persistent_workers needs dataloader_num_workers above 0"
    names = ("activation_checkpointing", "gradient_checkpointing")
    for name in names:
        given = schedules.arguments_of(settings.get(f"{name}_kwargs"))
        if given is None or not all(
            one in _CHECKPOINTING_ARGUMENTS and isinstance(value, bool)
            for one, value in given.items()
        ):
            known = ", ".join(_CHECKPOINTING_ARGUMENTS)
            yield f"{name}_kwargs must be an object of {known}, each true or false"
        elif given and not any(settings.get(one) for one in names):
            yield f"{name}_kwargs needs {name} to be true"
        elif given.get("selective"):
            # TRL replaces a method of the model with the adapter, transformers calls another one of
            # the model within: the argument reaches torch, which refuses or ignores it.
            yield (
                f"{name}_kwargs: selective must be false: the libraries do not apply it to a model "
                "with an adapter"
            )


def _evaluates(settings: Mapping[str, Any]) -> bool:
    return settings.get("eval_strategy", "no") not in ("no", None)
