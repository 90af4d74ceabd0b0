"""Settings of a training, as far as client, services and jobs have to agree on them: the studio's
own, names that others used to have, and what contradicts what."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ft.configs import schedules

__all__ = [
    "LEFT_OUT",
    "OF_THE_STUDIO",
    "RENAMED",
    "conflicts",
    "current",
    "evaluation_steps",
    "notices",
    "of_hardware",
    "of_prompt",
    "of_steps",
    "of_workers",
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

_LOSS_ALONE = "an evaluation during the training measures only the loss"
_NO_HUB = "jobs cannot write to the hub"
_TRACKIO = "jobs do not report to Trackio"
LEFT_OUT: Mapping[str, str] = {
    "output_dir": "the studio chooses it",
    "dataset_text_field": "the studio chooses it",
    "half_precision_backend": "it no longer has an effect",
    "logging_dir": "it no longer has an effect",
    "overwrite_output_dir": "it no longer has an effect",
    "save_safetensors": "it no longer has an effect",
    "do_train": "a job always trains",
    "do_eval": "eval_strategy decides whether a training evaluates",
    "do_predict": "evaluation jobs do that",
    "hub_private_repo": _NO_HUB,
    "hub_model_id": _NO_HUB,
    "hub_strategy": _NO_HUB,
    "hub_revision": _NO_HUB,
    "project": _TRACKIO,
    "trackio_space_id": _TRACKIO,
    "trackio_bucket_id": _TRACKIO,
    "trackio_static_space_id": _TRACKIO,
    "bf16_full_eval": "evaluations during the training use its precision",
    "fp16_full_eval": "evaluations during the training use its precision",
    "prediction_loss_only": _LOSS_ALONE,
    "eval_do_concat_batches": _LOSS_ALONE,
    "eval_use_gather_object": _LOSS_ALONE,
    "include_for_metrics": _LOSS_ALONE,
    "batch_eval_metrics": _LOSS_ALONE,
    "skip_memory_metrics": "memory is not measured",
}
"""Settings that a job leaves out, whatever their value, and why."""

LEAST_RATE = 1e-12
"""A learning rate below it does not change a weight of 32 bits."""
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
            if old == "warmup_ratio" and config[old] == 1:
                # As a number of steps, 1 would be a single one.
                settings[new] = math.nextafter(1, 0)
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
        *_of_names(config),
        *_of_rate(settings),
        *_of_loading(settings),
        *_of_checkpointing(settings),
        *_of_optimiser(settings),
    ]


def notices(config: Mapping[str, Any]) -> list[str]:
    """Settings that have no effect, alone or beside the others, a clause each."""
    settings = current(config)
    found = [
        f"{name} is ignored: {reason}" for name, reason in LEFT_OUT.items() if config.get(name)
    ]
    warm_up = next((one for one in ("warmup_ratio", "warmup_steps") if config.get(one)), None)
    if warm_up and not schedules.warms_up(settings):
        scheduler = settings.get("lr_scheduler_type")
        found.append(f"{warm_up} has no effect: lr_scheduler_type {scheduler} has no warm-up")
    if settings.get("eval_steps") and settings.get("eval_strategy") != "steps":
        found.append("eval_steps has no effect: eval_strategy is not steps")
    if settings.get("save_steps") and settings.get("save_strategy", "steps") != "steps":
        found.append("save_steps has no effect: save_strategy is not steps")
    if config.get("warmup_ratio") and config.get("warmup_steps"):
        found.append("warmup_ratio has no effect: warmup_steps is set")
    if settings.get("disable_tqdm") is False:
        found.append("disable_tqdm is replaced by true: progress is in the job's events")
    if settings.get("packing_strategy") and not settings.get("packing"):
        found.append("packing_strategy has no effect: packing is not true")
    return found


def of_keeping(config: Mapping[str, Any]) -> list[str]:
    """Notices about resuming from a checkpoint with these settings, a clause each."""
    if config.get("save_total_limit") != 1:
        return []
    return [
        "save_total_limit 1 keeps one checkpoint: if it is damaged, or the job ends while it is "
        "being saved, the next attempt starts from the beginning; set 2 or more to keep an older "
        "checkpoint"
    ]


OF_SEVERAL = (
    "ddp_backend",
    "ddp_broadcast_buffers",
    "ddp_bucket_cap_mb",
    "ddp_find_unused_parameters",
    "ddp_static_graph",
    "ddp_timeout",
)
"""Settings for workers that train together."""


def of_workers(config: Mapping[str, Any], workers: int) -> list[str]:
    """Settings that have no effect with so many workers, a clause each."""
    if workers > 1:
        return []
    given = [name for name in OF_SEVERAL if config.get(name)]
    return [f"{name} has no effect: one worker trains alone" for name in given]


MANY_PASSES = 100


def of_steps(config: Mapping[str, Any], a_pass: int, total: int) -> list[str]:
    """Notices about the numbers of steps that the settings name, a clause each.

    Takes the number of steps in a pass over the rows, and in all."""
    settings = current(config)
    found = []
    warm_up = settings.get("warmup_steps") or 0
    if warm_up >= max(total, 1) and schedules.warms_up(settings):
        found.append(
            f"warmup_steps {warm_up} does not end within the {total} steps of the training: "
            "learning_rate is not reached"
        )
    if (settings.get("max_steps") or 0) > MANY_PASSES * a_pass:
        found.append(
            f"max_steps {settings['max_steps']} goes over the rows {total // a_pass:,} times: a "
            f"pass has {a_pass} steps"
        )
    return found


def of_hardware(config: Mapping[str, Any], gpus: int) -> tuple[list[str], list[str]]:
    """Settings that a job with this number of GPUs does not support, or replaces, a clause each."""
    settings = current(config)
    if gpus:
        wrong = ["use_cpu cannot be true for a job with GPUs"] if settings.get("use_cpu") else []
        return wrong, []
    wrong = ["ddp_backend nccl needs GPUs"] if settings.get("ddp_backend") == "nccl" else []
    replaced = [
        f"{name} is replaced by 32-bit floating point: the job has no GPU"
        for name in ("fp16", "tf32")
        if settings.get(name)
    ]
    if settings.get("activation_offloading"):
        replaced.append("activation_offloading has no effect: the job has no GPU")
    optimiser = str(settings.get("optim", ""))
    if optimiser in OF_BITSANDBYTES:
        other = without_bitsandbytes(optimiser)
        replaced.append(f"optim {optimiser} is replaced by {other}: the job has no GPU")
    return wrong, replaced


OF_BITSANDBYTES = (
    "ademamix",
    "adamw_bnb_8bit",
    "adamw_8bit",
    "ademamix_8bit",
    "lion_8bit",
    "lion_32bit",
    "paged_adamw_32bit",
    "paged_adamw_8bit",
    "paged_ademamix_32bit",
    "paged_ademamix_8bit",
    "paged_lion_32bit",
    "paged_lion_8bit",
    "rmsprop_bnb",
    "rmsprop_bnb_8bit",
    "rmsprop_bnb_32bit",
)
"""Optimisers of the library bitsandbytes."""


def without_bitsandbytes(optimiser: str) -> str:
    """The optimiser that takes the place of one of bitsandbytes where that is not at hand."""
    return "rmsprop" if optimiser.startswith("rmsprop") else "adamw_torch"


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
    if settings.get("loss_type") == "dft" and settings.get("label_smoothing_factor"):
        yield "label_smoothing_factor has no effect on loss_type dft: set one of them"
    if settings.get("fp16") and settings.get("bf16"):
        yield "fp16 and bf16 cannot both be true"


def _of_names(config: Mapping[str, Any]) -> Iterator[str]:
    for old, new in RENAMED.items():
        if old in config and new in config and old != "warmup_ratio" and config[old] != config[new]:
            yield f"{old} is now called {new}: they cannot differ, set {new} alone"


def _of_rate(settings: Mapping[str, Any]) -> Iterator[str]:
    rate = settings.get("learning_rate")
    if isinstance(rate, int | float) and 0 < rate < LEAST_RATE:
        yield f"learning_rate {rate} is too small to change a weight: it must be from {LEAST_RATE}"
    yield from schedules.faults(settings)


def _of_loading(settings: Mapping[str, Any]) -> Iterator[str]:
    if settings.get("dataloader_num_workers"):
        return
    for name in ("dataloader_prefetch_factor", "dataloader_multiprocessing_context"):
        if settings.get(name) is not None:
            yield f"{name} needs dataloader_num_workers above 0"
    if settings.get("dataloader_persistent_workers"):
        yield "dataloader_persistent_workers needs dataloader_num_workers above 0"


_CHECKPOINTING = ("use_reentrant", "preserve_rng_state", "selective")


def _of_checkpointing(settings: Mapping[str, Any]) -> Iterator[str]:
    names = ("activation_checkpointing", "gradient_checkpointing")
    for name in names:
        given = schedules.arguments_of(settings.get(f"{name}_kwargs"))
        if given is None or not all(
            one in _CHECKPOINTING and isinstance(value, bool) for one, value in given.items()
        ):
            known = ", ".join(_CHECKPOINTING)
            yield f"{name}_kwargs must be an object of {known}, each true or false"
        elif given and not any(settings.get(one) for one in names):
            yield f"{name}_kwargs needs {name} to be true"
        elif given.get("selective") and given.get("use_reentrant"):
            yield f"{name}_kwargs: selective and use_reentrant cannot both be true"


_OPTIMISER_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "sgd": ("momentum", "dampening", "weight_decay", "nesterov"),
    "adagrad": ("lr_decay", "weight_decay", "eps"),
    "rmsprop": ("momentum", "alpha", "eps", "weight_decay", "centered"),
}
_SWITCHES = ("nesterov", "centered")


def _of_optimiser(settings: Mapping[str, Any]) -> Iterator[str]:
    text = settings.get("optim_args")
    if not text:
        return
    optimiser = str(settings.get("optim", "adamw_torch_fused"))
    known = _OPTIMISER_ARGUMENTS.get(optimiser)
    if known is None:
        takers = ", ".join(_OPTIMISER_ARGUMENTS)
        yield f"optim_args is for optim {takers}; {optimiser} takes none"
        return
    given = dict(pair.strip().partition("=")[::2] for pair in str(text).split(","))
    for name, value in given.items():
        if name not in known:
            yield f"optim_args: {name!r} is not known; optim {optimiser} takes {', '.join(known)}"
        elif not _is_argument(name, value):
            words = "true or false" if name in _SWITCHES else "a number from 0 to 1"
            yield f"optim_args: {name} must be {words}, not {value!r}"
    if given.get("nesterov", "").lower() == "true" and (
        not _positive(given.get("momentum")) or _positive(given.get("dampening"))
    ):
        yield "optim_args: nesterov needs momentum above 0 and no dampening"


def _is_argument(name: str, value: str) -> bool:
    if name in _SWITCHES:
        return value.lower() in ("true", "false")
    try:
        number = float(value)
    except ValueError:
        return False
    # Nothing is divided by 0, and no weight grows beyond any number.
    return (1e-30 if name == "eps" else 0) <= number <= 1


def _positive(value: str | None) -> bool:
    try:
        return float(value or 0) > 0
    except ValueError:
        return False
