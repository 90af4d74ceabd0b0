"""Settings of a training, as far as client, services and jobs agree on them."""

from ft.configs.training.conflicts import conflicts, prompt_conflicts
from ft.configs.training.notices import (
    checkpoint_notices,
    hardware_faults,
    notices,
    step_notices,
    worker_notices,
)
from ft.configs.training.optimisers import BITSANDBYTES_OPTIMISERS, without_bitsandbytes
from ft.configs.training.settings import (
    DISTRIBUTED_SETTINGS,
    LEFT_OUT,
    RENAMED,
    STUDIO_SETTINGS,
    evaluation_steps,
    with_current_names,
)

__all__ = [
    "BITSANDBYTES_OPTIMISERS",
    "DISTRIBUTED_SETTINGS",
    "LEFT_OUT",
    "RENAMED",
    "STUDIO_SETTINGS",
    "checkpoint_notices",
    "conflicts",
    "evaluation_steps",
    "hardware_faults",
    "notices",
    "prompt_conflicts",
    "step_notices",
    "with_current_names",
    "without_bitsandbytes",
    "worker_notices",
]
