"""What the job may use, and what settings have to change because of it."""

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from ft.configs import training
from trainer.errors import UnsupportedError

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Hardware:
    """What is granted to this process, and what its libraries can do with it."""

    cpus: int
    gpus: int = 0
    bf16: bool = False
    """Whether the GPU calculates in bfloat16."""
    bitsandbytes: bool = False
    """Whether quantised models and paged or 8-bit optimisers can be had."""

    @property
    def on_gpu(self) -> bool:
        """Whether the model goes to a GPU."""
        return self.gpus > 0


def detect(cpus: int = 0, gpus: int = -1) -> Hardware:
    """What there is. `cpus` 0 takes all cores, `gpus` -1 all devices; 0 GPUs leaves them alone."""
    cores = cpus if cpus > 0 else len(os.sched_getaffinity(0))
    present = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if gpus == 0 or present == 0:
        return Hardware(cores)
    return Hardware(
        cpus=cores,
        gpus=present if gpus < 0 else min(gpus, present),
        bf16=torch.cuda.is_bf16_supported(),
        bitsandbytes=importlib.util.find_spec("bitsandbytes") is not None,
    )


def fit_training(settings: dict[str, Any], hardware: Hardware, notify: Notify) -> dict[str, Any]:
    """The training settings with those replaced that this hardware does not have."""
    fitted = dict(settings)
    optimizer = str(fitted.get("optim", ""))
    if not hardware.bitsandbytes and optimizer in training.BITSANDBYTES_OPTIMISERS:
        fitted["optim"] = training.without_bitsandbytes(optimizer)
        notify(f"optim {optimizer} is replaced by {fitted['optim']}: {_lack(hardware)}.")
    if hardware.on_gpu:
        return _fit_precision_on_gpu(fitted, hardware, notify)
    for name in ("fp16", "fp16_full_eval", "tf32"):
        if fitted.pop(name, None):
            notify(f"{name} is replaced by 32-bit floating point: {_lack(hardware)}.")
    if fitted.pop("activation_offloading", None):
        notify(f"activation_offloading has no effect: {_lack(hardware)}.")
    # The library's own default is bf16, which most CPUs only emulate; asked for, it is kept.
    fitted.setdefault("bf16", False)
    if "gradient_checkpointing" not in fitted:
        # On by default, for the little memory of GPUs; here it only repeats the forward pass.
        fitted.setdefault("activation_checkpointing", False)
    fitted["use_cpu"] = True
    return fitted


def _fit_precision_on_gpu(
    fitted: dict[str, Any], hardware: Hardware, notify: Notify
) -> dict[str, Any]:
    if fitted.get("bf16") and not hardware.bf16:
        fitted |= {"bf16": False, "fp16": True}
        notify("bf16 is replaced by fp16: this GPU has no bfloat16.")
    # The library's default would turn bf16 on beside fp16, which it then refuses.
    fitted.setdefault("bf16", hardware.bf16 and not fitted.get("fp16"))
    return fitted


def fit_quantisation(
    config: dict[str, Any], hardware: Hardware, notify: Notify
) -> dict[str, Any] | None:
    """The quantisation config if it asks for any and can be had; else None, and it is told why.

    Raises UnsupportedError on a GPU without bitsandbytes: the whole model may not fit its memory.
    """
    bits = 4 if config.get("load_in_4bit") else 8 if config.get("load_in_8bit") else 0
    if not bits:
        return None
    if not hardware.on_gpu:
        notify(f"{bits}-bit quantisation is replaced by 32-bit weights: {_lack(hardware)}.")
        return None
    if not hardware.bitsandbytes:
        raise UnsupportedError(
            f"{bits}-bit quantisation needs the package bitsandbytes, which is not installed."
        )
    return config


def _lack(hardware: Hardware) -> str:
    return "bitsandbytes is not installed" if hardware.on_gpu else "the job has no GPU"
