"""Hardware of the job, and the settings that have to change because of it."""

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
    """The hardware granted to this process, and what the libraries can do with it."""

    cpus: int
    gpus: int = 0
    bf16: bool = False
    """True if the GPU calculates in bfloat16."""
    bitsandbytes: bool = False
    """True if quantised models and paged or 8-bit optimisers are available."""

    @property
    def on_gpu(self) -> bool:
        """True if the model is placed on a GPU."""
        return self.gpus > 0


def detect(cpus: int = 0, gpus: int = -1) -> Hardware:
    """Detects the hardware. `cpus` 0 means all cores, `gpus` -1 all devices, `gpus` 0 no device."""
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
    """The training settings, with settings replaced that this hardware does not support."""
    fitted = dict(settings)
    optimizer = str(fitted.get("optim", ""))
    if not hardware.bitsandbytes and optimizer in training.BITSANDBYTES_OPTIMISERS:
        fitted["optim"] = training.without_bitsandbytes(optimizer)
        notify(f"optim {optimizer} is replaced by {fitted['optim']}: {_lack(hardware)}.")
    if hardware.on_gpu:
        if fitted.get("bf16") and not hardware.bf16:
            fitted |= {"bf16": False, "fp16": True}
            notify("bf16 is replaced by fp16: this GPU has no bfloat16.")
        # The library's default would turn bf16 on in addition to fp16, and then refuse both.
        fitted.setdefault("bf16", hardware.bf16 and not fitted.get("fp16"))
        return fitted
    for name in ("fp16", "fp16_full_eval", "tf32"):
        if fitted.pop(name, None):
            notify(f"{name} is replaced by 32-bit floating point: {_lack(hardware)}.")
    if fitted.pop("activation_offloading", None):
        notify(f"activation_offloading has no effect: {_lack(hardware)}.")
    # The library's default is bf16, which most CPUs only emulate. A request for it is kept.
    fitted.setdefault("bf16", False)
    if "gradient_checkpointing" not in fitted:
        # On by default, to save the memory of GPUs; on a CPU it only repeats the forward pass.
        fitted.setdefault("activation_checkpointing", False)
    fitted["use_cpu"] = True
    return fitted


def fit_quantisation(
    config: dict[str, Any], hardware: Hardware, notify: Notify
) -> dict[str, Any] | None:
    """The quantisation config if it asks for quantisation and the hardware supports it; else None,
    with a notice.

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
