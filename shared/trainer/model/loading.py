"""Loads base models, tokenizers and adapters, and refuses those with missing or foreign weights."""

import os
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedConfig

from ft.adapters import weight_files
from ft.adapters.files import TRAIN_AGAIN
from ft.adapters.weight_files import shown
from ft.api import AdapterMetadata, AdapterType
from rows.errors import first_line
from trainer.causes import is_out_of_memory
from trainer.errors import ModelError, UnsupportedError
from trainer.model import adapter_checks, hub, weights
from trainer.model.adapter_checks import BaseModelSource
from trainer.model.hardware import Hardware, Notify
from trainer.model.tokenizer import set_pad_token

COPY_AGAIN = "Copy or download the whole model again."


def load_tokenizer(source: str, commit: str = "") -> Any:
    """The tokenizer with a usable pad token, at `commit` for a name on the hub. Raises
    ModelError."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            source, token=hub.token(), revision=commit or "main"
        )
    except Exception as error:
        # The readers raise errors of any type for a malformed file.
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
    name: str = "",
    notify: Notify = lambda _: None,
) -> Any:
    """The base model on the device that it will run on, at `commit` for a name on the hub. Messages
    call it `name`, or its source.

    Raises ModelError if it cannot be loaded, or if a weight is missing in its files, of another
    shape, or not finite. Weights in the files that do not belong to the model are a notice.
    """
    options: dict[str, Any] = {"dtype": dtype, "revision": commit or "main"}
    if quantisation is not None:
        # With None the library would overlook that the files are quantised.
        options["quantization_config"] = quantisation
        try:
            config, _ = PreTrainedConfig.get_config_dict(
                source, token=hub.token(), revision=commit or "main"
            )
        except (OSError, ValueError):
            config = {}  # The error is raised when the model is loaded.
        if own := config.get("quantization_config"):
            notify(
                f"The model {name or source} is quantised already ({own.get('quant_method')}): the "
                "quantisation that was asked for has no effect."
            )
    model = _loaded(source, name, local_device(hardware), notify, **options)
    require_finite(name or source, model)
    return model


def load_structure(source: str, commit: str, notify: Notify) -> Any:
    """The model without the values of its weights, which takes no memory, to check it before
    another program loads it.

    Raises ModelError as `load_model` does, except for values.
    """
    return _loaded(source, source, "meta", notify, revision=commit or "main")


def require_finite(source: str, model: Any) -> None:
    """Raises ModelError if a weight of a base model has a value that is not finite."""
    what = f"The model {source} cannot be used"
    weights.require_finite(model.named_parameters(), what, COPY_AGAIN)


def _loaded(source: str, name: str, device: str, notify: Notify, **options: Any) -> Any:
    name = name or source
    _require_loadable(source, name)
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            source,
            device_map={"": device},
            token=hub.token(),
            output_loading_info=True,
            # They are refused below, by name.
            ignore_mismatched_sizes=True,
            **options,
        )
    except Exception as error:
        if is_out_of_memory(error):
            raise
        why = first_line(error)
        if "weights_only" in str(error) or type(error).__name__ == "UnpicklingError":
            why = (
                "a weights file is damaged, or holds more than weights. Save the model as "
                "safetensors where it is trusted."
            )
        raise ModelError(f"The model {name} cannot be loaded: {why}") from error
    _require_own_weights(name, model, info, notify)
    return model


def _require_loadable(source: str, name: str) -> None:
    """Raises ModelError if a directory's files cannot be loaded as a base model."""
    folder = Path(source)
    if not folder.is_dir():
        return
    if (folder / "adapter_config.json").is_file():
        # The library would load the model that this file names, and the adapter on it.
        raise ModelError(
            f"The model {name} is an adapter: its directory has an adapter_config.json. "
            "Register the base model's directory, and the adapter as an adapter."
        )
    if faults := weight_files.of_folder(folder).faults:
        raise ModelError(f"The model {name} cannot be loaded: {'; '.join(faults)}.")


def _require_own_weights(name: str, model: Any, info: dict[str, Any], notify: Notify) -> None:
    """Raises ModelError naming weights that are missing or of another shape."""
    if getattr(model, "_hf_peft_config_loaded", False):
        raise ModelError(f"The model {name} is an adapter: register its base model in its place.")
    kind = type(model).__name__
    wrong = []
    if missing := sorted(info["missing_keys"]):
        wrong.append(f"{len(missing)} weights of {kind} are not in its files: {shown(missing)}")
    if mismatched := sorted(info["mismatched_keys"]):
        named = [
            f"{key} ({_shape(found)} in place of {_shape(wanted)})"
            for key, found, wanted in mismatched
        ]
        wrong.append(f"{len(named)} weights have another shape than config.json says: ")
        wrong[-1] += shown(named)
    if unexpected := sorted(info["unexpected_keys"]):
        unused = f"{len(unexpected)} weights in the files of {name} have no place in {kind}"
        if not wrong:
            notify(f"{unused} and are not used: {shown(unexpected)}.")
        else:
            wrong.append(f"{unused}: {shown(unexpected)}")
    if wrong and (missing or mismatched):
        raise ModelError(
            f"The model {name} cannot be used: {'; '.join(wrong)}. These weights would be random "
            "numbers. Use a directory whose config.json and weights belong together."
        )


def _shape(size: Any) -> str:
    return "x".join(map(str, size)) or "one number"


def load_adapter(
    model: Any, adapter: AdapterMetadata, project: Path, base: BaseModelSource | None = None
) -> Any:
    """The base model with the adapter on it.

    Raises ModelError if it cannot be loaded, is not finite, or belongs to another base. If `base`
    is given, its hub name and its files are compared with those in the adapter's manifest.
    """
    from peft import PeftModel

    source = adapter_source(adapter, project)
    what = f"Adapter {adapter.name}"
    adapter_checks.require(what, source, base)
    try:
        adapted = PeftModel.from_pretrained(model, source)
        adapter_checks.require_placed(what, adapted, source)
    except ModelError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(adapter_checks.cannot_load(what, error)) from error
    named = adapter_checks.adapter_weights(adapted)
    weights.require_finite(named.items(), what, TRAIN_AGAIN)
    return adapted


def require_effect(adapted: Any, adapter: str) -> None:
    """Raises ModelError if the adapter changes nothing, because it has not been trained."""
    what = f"Adapter {adapter} has no effect on its base model"
    if weights.changes_nothing(adapter_checks.adapter_weights(adapted)):
        raise ModelError(
            f"{what}: its lora_B weights are 0, as before a training. Train it again, with a "
            "lora_alpha above 0 and a lora_dropout below 1."
        )
    if weights.outputs_unchanged(adapted):
        raise ModelError(f"{what}: the model writes the same without it. Train it again.")


def merged_model(adapted: Any, remedy: str = "") -> Any:
    """The base model with the adapter merged into its weights. Raises UnsupportedError, with the
    remedy, for kinds of adapters that cannot be merged."""
    kind = str(getattr(adapted.active_peft_config.peft_type, "value", ""))
    try:
        if adapted.active_peft_config.is_prompt_learning:
            raise RuntimeError("its weights are put in front of each text")
        return adapted.merge_and_unload()
    except (RuntimeError, ValueError, NotImplementedError, AttributeError) as error:
        if is_out_of_memory(error):
            raise
        raise UnsupportedError(
            f"An adapter of type {kind} with these settings cannot be merged into its base model: "
            f"{first_line(error).rstrip('.')}. {remedy}".rstrip()
        ) from error


def adapter_source(adapter: AdapterMetadata, project: Path) -> str:
    """The directory that the adapter is loaded from; its files are downloaded if it is on the hub.
    Raises ModelError if they are not available."""
    if adapter.type == AdapterType.MODEL_REGISTRY:
        raise UnsupportedError(f"Adapters of type {adapter.type} cannot be loaded in a job yet.")
    if adapter.type == AdapterType.HUGGINGFACE:
        return str(hub.adapter_folder(adapter.huggingface_name, adapter.commit))
    return str(project / adapter.location)


def report_newest_commit(adapter: AdapterMetadata, project: Path, notify: Notify) -> None:
    """Reports that a hub adapter is loaded at its newest commit, if none is registered."""
    if adapter.type == AdapterType.HUGGINGFACE and not adapter.commit:
        found = Path(adapter_source(adapter, project)).name
        notify(
            f"The commit of adapter {adapter.name} on the hub is not registered: the newest, "
            f"{found}, is loaded. Register the adapter again to fix its commit."
        )


def longest_text(model: Any) -> int | None:
    """Maximum number of tokens of a text, including those that the model writes; None if the model
    does not say."""
    found: int | None = getattr(model.config, "max_position_embeddings", None)
    return found


def weight_type(hardware: Hardware, *, fp16: bool = False) -> torch.dtype:
    """Type of the weights that are not trained: 16 bits on a GPU, 32 bits on a CPU.

    A CPU is slower with bfloat16 weights than with float32, even if it has instructions for them.
    """
    if not hardware.on_gpu:
        return torch.float32
    return torch.float16 if fp16 or not hardware.bf16 else torch.bfloat16


def local_device(hardware: Hardware) -> str:
    """The device of this process, also if it is one of several."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if hardware.on_gpu else "cpu"
