"""Settings of a training that have no effect, or that a job replaces."""

from collections.abc import Mapping
from typing import Any

from ft.configs import schedules
from ft.configs.training.optimisers import BITSANDBYTES_OPTIMISERS, without_bitsandbytes
from ft.configs.training.settings import DISTRIBUTED_SETTINGS, LEFT_OUT, with_current_names

__all__ = ["checkpoint_notices", "hardware_faults", "notices", "step_notices", "worker_notices"]

_MANY_PASSES = 100
"""Passes over the rows beyond which `max_steps` is reported."""


def notices(config: Mapping[str, Any]) -> list[str]:
    """Settings that have no effect, alone or with the others, a clause each."""
    settings = with_current_names(config)
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


def checkpoint_notices(config: Mapping[str, Any]) -> list[str]:
    """Notices about resuming from a checkpoint with these settings, a clause each."""
    if config.get("save_total_limit") != 1:
        return []
    return [
        "save_total_limit 1 keeps one checkpoint: if it is damaged, or the job ends while it is "
        "being saved, the next attempt starts from the beginning; set 2 or more to keep an older "
        "checkpoint"
    ]


def worker_notices(config: Mapping[str, Any], workers: int) -> list[str]:
    """Settings that have no effect with so many workers, a clause each."""
    if workers > 1:
        return []
    given = [name for name in DISTRIBUTED_SETTINGS if config.get(name)]
    return [f"{name} has no effect: one worker trains alone" for name in given]


def step_notices(config: Mapping[str, Any], a_pass: int, total: int) -> list[str]:
    """Notices about the numbers of steps that the settings name, a clause each.

    `a_pass` is the number of steps in a pass over the rows, `total` the number of all steps.
    """
    settings = with_current_names(config)
    found = []
    warm_up = settings.get("warmup_steps") or 0
    if warm_up >= max(total, 1) and schedules.warms_up(settings):
        found.append(
            f"warmup_steps {warm_up} does not end within the {total} steps of the training: "
            "learning_rate is not reached"
        )
    if (settings.get("max_steps") or 0) > _MANY_PASSES * a_pass:
        found.append(
            f"max_steps {settings['max_steps']} goes over the rows {total // a_pass:,} times: a "
            f"pass has {a_pass} steps"
        )
    return found


def hardware_faults(config: Mapping[str, Any], gpus: int) -> tuple[list[str], list[str]]:
    """Settings that a job with this number of GPUs does not support, and those that it replaces.

    Each is a clause.
    """
    settings = with_current_names(config)
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
    if optimiser in BITSANDBYTES_OPTIMISERS:
        other = without_bitsandbytes(optimiser)
        replaced.append(f"optim {optimiser} is replaced by {other}: the job has no GPU")
    return wrong, replaced
