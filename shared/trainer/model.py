"""Loads base models, tokenizers and adapters; refuses those that are not what they should be."""

import os
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from ft.api import AdapterMetadata, AdapterType
from rows import weight_files
from rows.errors import first_line
from rows.weight_files import shown
from trainer import belonging, hub, weights
from trainer.belonging import Base
from trainer.causes import is_of_memory
from trainer.errors import ModelError, UnsupportedError
from trainer.hardware import Hardware, Notify
from trainer.tokenizer import set_pad_token

COPY_AGAIN = "Copy or download the whole model again."


def load_tokenizer(source: str, commit: str = "") -> Any:
    """The tokenizer with a usable pad token, of the hub at that commit. Raises ModelError."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            source, token=hub.token(), revision=commit or "main"
        )
    except Exception as error:
        # The readers raise whatever a file of another form makes them stumble over.
        raise ModelError(
            f"The tokenizer of {source} cannot be loaded: {first_line(error)}"
        ) from error
    set_pad_token(tokenizer)
    return tokenizer


def load_model(
    source: str,
    hardware: Hardware,
    dtype: torch.dtype,
    quantisation: Any,
    *,
    commit: str = "",
    notify: Notify = lambda _: None,
) -> Any:
    """The base model on the device it will work on, of the hub at that commit.

    Raises ModelError if it cannot be loaded, or if a weight is not its own: missing in its files,
    of another shape, or not finite. Weights that have no place in the model are told.
    """
    options = {"dtype": dtype, "quantization_config": quantisation, "revision": commit or "main"}
    model = _loaded(source, local_device(hardware), notify, **options)
    require_finite(source, model)
    return model


def without_weights(source: str, commit: str, notify: Notify) -> Any:
    """The model without its weights' numbers, which takes no memory, for a look before another
    program loads it. Raises ModelError as `load_model` does, but for numbers."""
    return _loaded(source, "meta", notify, revision=commit or "main")


def require_finite(source: str, model: Any) -> None:
    """Raises ModelError if a weight of a base model has a number that is not finite."""
    what = f"The model {source} cannot be used"
    weights.require_finite(model.named_parameters(), what, COPY_AGAIN)


def _loaded(source: str, device: str, notify: Notify, **options: Any) -> Any:
    _require_whole(source)
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            source,
            device_map={"": device},
            token=hub.token(),
            output_loading_info=True,
            # They are refused below, with their names.
            ignore_mismatched_sizes=True,
            **options,
        )
    except Exception as error:
        if is_of_memory(error):
            raise
        raise ModelError(f"The model {source} cannot be loaded: {_why(error)}") from error
    _require_own(source, model, info, notify)
    return model


def _require_whole(source: str) -> None:
    """Raises ModelError if a directory's files are such that no library could load them."""
    folder = Path(source)
    if not folder.is_dir():
        return
    if (folder / "adapter_config.json").is_file():
        # The library would load another model, which that file names, and the adapter on it.
        raise ModelError(
            f"The model {source} is an adapter: its directory has an adapter_config.json. "
            "Register the base model's directory, and the adapter as an adapter."
        )
    if faults := weight_files.of_folder(folder).faults:
        raise ModelError(f"The model {source} cannot be loaded: {'; '.join(faults)}.")


def _why(error: Exception) -> str:
    if "weights_only" in str(error) or type(error).__name__ == "UnpicklingError":
        return (
            "a weights file is damaged, or holds more than weights. Save the model as safetensors "
            "where it is trusted."
        )
    return first_line(error)


def _require_own(source: str, model: Any, info: dict[str, Any], notify: Notify) -> None:
    """Raises ModelError with the names of weights that are missing or of another shape."""
    if getattr(model, "_hf_peft_config_loaded", False):
        raise ModelError(f"The model {source} is an adapter: register its base model in its place.")
    kind = type(model).__name__
    wrong = []
    if missing := sorted(info["missing_keys"]):
        wrong.append(f"{len(missing)} weights of {kind} are not in its files: {shown(missing)}")
    if mismatched := sorted(info["mismatched_keys"]):
        named = [
            f"{name} ({_shape(found)} in place of {_shape(wanted)})"
            for name, found, wanted in mismatched
        ]
        wrong.append(f"{len(named)} weights have another shape than config.json says: ")
        wrong[-1] += shown(named)
    if unexpected := sorted(info["unexpected_keys"]):
        told = f"{len(unexpected)} weights in the files of {source} have no place in {kind}"
        if not wrong:
            notify(f"{told} and are not used: {shown(unexpected)}.")
        else:
            wrong.append(f"{told}: {shown(unexpected)}")
    if wrong and (missing or mismatched):
        raise ModelError(
            f"The model {source} cannot be used: {'; '.join(wrong)}. They would be random numbers. "
            "Give it the config.json and all the weights that belong together."
        )


def _shape(size: Any) -> str:
    return "x".join(map(str, size)) or "one number"


def load_adapter(
    model: Any, adapter: AdapterMetadata, project: Path, base: Base | None = None
) -> Any:
    """The base model with the adapter on it.

    Raises ModelError if it cannot be loaded, is not finite, or belongs to another base. What the
    `base` is called on the hub, and its files, are compared where they are given.
    """
    from peft import PeftModel

    source = adapter_source(adapter, project)
    what = f"Adapter {adapter.name}"
    if base is not None:
        belonging.require(what, source, base)
    try:
        adapted = PeftModel.from_pretrained(model, source, token=hub.token())
        placed = belonging.placed(adapted, source)
    except Exception as error:
        if is_of_memory(error):
            raise
        raise ModelError(f"{what} cannot be loaded: {belonging.why(error)}") from error
    belonging.require_placed(what, placed)
    named = belonging.of_adapter(adapted)
    weights.require_finite(named.items(), what, "Train it again, or copy it again.")
    return adapted


def require_effect(adapted: Any, adapter: str) -> None:
    """Raises ModelError if the adapter changes nothing: it has not been trained."""
    if weights.changes_nothing(belonging.of_adapter(adapted)):
        raise ModelError(
            f"Adapter {adapter} changes nothing of its base model: its lora_B are zero, as before "
            "a training. Train it again, with a lora_alpha above 0 and a lora_dropout below 1."
        )


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
