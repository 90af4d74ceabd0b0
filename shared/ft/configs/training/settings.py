"""Names of the settings of a training: the studio's own, the renamed and the ignored ones."""

import math
from collections.abc import Mapping
from typing import Any

__all__ = [
    "DISTRIBUTED_SETTINGS",
    "LEFT_OUT",
    "RENAMED",
    "STUDIO_SETTINGS",
    "evaluation_steps",
    "with_current_names",
]

RENAMED = {
    "evaluation_strategy": "eval_strategy",
    "max_seq_length": "max_length",
    "no_cuda": "use_cpu",
    "warmup_ratio": "warmup_steps",
}
"""Names of settings in older library versions, which stored configs and users still use."""

STUDIO_SETTINGS: Mapping[str, dict[str, Any]] = {
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

DISTRIBUTED_SETTINGS = (
    "ddp_backend",
    "ddp_broadcast_buffers",
    "ddp_bucket_cap_mb",
    "ddp_find_unused_parameters",
    "ddp_static_graph",
    "ddp_timeout",
)
"""Settings for workers that train together."""

_EVALUATIONS = 10
"""Steps from one evaluation to the next where the settings do not say."""


def with_current_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """Renames settings of older library versions. If both have a value, the new one counts."""
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
    """Steps from one evaluation to the next if eval_strategy is steps; below 1, a share of all."""
    steps: float = settings.get("eval_steps") or settings.get("logging_steps") or _EVALUATIONS
    return steps
