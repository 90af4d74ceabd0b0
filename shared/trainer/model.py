"""Loads base models and tokenizers as the hardware wants them."""

import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from ft.api import AdapterMetadata, AdapterType
from rows.errors import first_line
from trainer import hub
from trainer.errors import ModelError, UnsupportedError
from trainer.hardware import Hardware
from trainer.tokenizer import set_pad_token


def load_tokenizer(source: str) -> Any:
    """The tokenizer with a usable pad token. Raises ModelError."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, token=hub.token())
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The tokenizer of {source} cannot be loaded: {first_line(error)}"
        ) from error
    set_pad_token(tokenizer)
    return tokenizer


def load_model(source: str, hardware: Hardware, dtype: torch.dtype, quantisation: Any) -> Any:
    """The base model on the device it will work on. Raises ModelError if it cannot be loaded."""
    try:
        return AutoModelForCausalLM.from_pretrained(
            source,
            dtype=dtype,
            quantization_config=quantisation,
            device_map={"": local_device(hardware)},
            token=hub.token(),
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"The model {source} cannot be loaded: {first_line(error)}") from error


def load_adapter(model: Any, adapter: AdapterMetadata, project: Path) -> Any:
    """The base model with the adapter on it. Raises ModelError if it cannot be loaded."""
    from peft import PeftModel

    source = adapter_source(adapter, project)
    try:
        return PeftModel.from_pretrained(model, source, token=hub.token())
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"Adapter {adapter.name} cannot be loaded: {first_line(error)}") from error


def adapter_source(adapter: AdapterMetadata, project: Path) -> str:
    """What the adapter is loaded from: its directory, or its name on the hub."""
    if adapter.type == AdapterType.MODEL_REGISTRY:
        raise UnsupportedError(f"Adapters of type {adapter.type} cannot be loaded in a job yet.")
    on_hub = adapter.type == AdapterType.HUGGINGFACE
    return adapter.huggingface_name if on_hub else str(project / adapter.location)


def longest_text(model: Any) -> int | None:
    """Tokens that the model takes at most, with those that it writes; None if it does not say."""
    found: int | None = getattr(model.config, "max_position_embeddings", None)
    return found


def weight_type(hardware: Hardware, *, fp16: bool = False) -> torch.dtype:
    """Type of the weights that are not trained: half size on a GPU, and exact on a CPU.

    A CPU is slower with bfloat16 weights than with float32, also where it has instructions for
    them.
    """
    if not hardware.on_gpu:
        return torch.float32
    return torch.float16 if fp16 or not hardware.bf16 else torch.bfloat16


def local_device(hardware: Hardware) -> str:
    """The device of this process, among several processes too."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if hardware.on_gpu else "cpu"
