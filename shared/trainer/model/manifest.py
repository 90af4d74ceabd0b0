"""The manifest of an adapter, `manifest.json` in its directory: data, settings, versions and hashes
of its training.

Two jobs with equal manifests, except for the adapter's hash, give the same adapter. No path of the
machine and no secret is in it.
"""

import dataclasses
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset

from ft.adapters.files import base_files
from ft.api import DatasetMetadata, DatasetType, PromptMetadata
from ft.configs.training import STUDIO_SETTINGS
from ft.job_protocol.files import MANIFEST_FILE, TEMPLATE_FILE
from rows import canonical, templates
from rows.chat.conversations import roles_of
from rows.reading import RowsSource
from trainer.model.hardware import Notify
from trainer.model.hashes import HashCache, of_file, of_text
from trainer.model.tokenizer import fingerprint

HASH_CACHE_FILE = "hashes.json"
LIBRARIES = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "datasets",
    "tokenizers",
    "bitsandbytes",
    "axolotl",
)
_OF_THE_MACHINE = (
    "output_dir",
    "logging_dir",
    "hub_token",
    "push_to_hub_token",
    "comet_api_key",
    "comet_experiment_key",
    "mlflow_tracking_uri",
    "run_name",
    "report_to",
    "disable_tqdm",
    "local_rank",
    "base_model_name_or_path",
)
"""Settings of the machine, of reports and of secrets, which do not change the adapter."""


@dataclass(frozen=True)
class Origin:
    """The inputs of a training, as far as its trainer does not know them."""

    prompt: PromptMetadata
    data: Mapping[str, Any]
    """See `data_of`."""
    source: str
    """The directory or the hub name that the base model was loaded from."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the training, including the studio's own."""
    workers: int = 1
    commit: str = ""
    """The commit at which a hub model was loaded."""
    run: str = ""
    """The MLflow run that a registered model was logged in."""
    axolotl_config: Mapping[str, Any] | None = None
    """None if the studio's own trainer does the training."""


def data_of(
    dataset: DatasetMetadata, train: Dataset, held_out: Dataset, source: RowsSource
) -> dict[str, Any]:
    """Description of the rows that are trained on and held out, of the files that they were read
    from, and of a hub dataset its name and commit."""
    on_hub = dataset.type == DatasetType.HUGGINGFACE
    of_hub = {"name": dataset.huggingface_name, "commit": dataset.commit or None} if on_hub else {}
    about: dict[str, Any] = {
        **of_hub,
        "train_rows": len(train),
        "train_sha256": canonical.digest(train),
        "eval_rows": len(held_out),
        "eval_sha256": canonical.digest(held_out),
    }
    if roles := roles_of(dataset):
        about["roles"] = roles
    if source.reader is not None:
        about |= {"reader": source.reader, "files": source.files}
    return about


def reader_of(adapter: Path) -> int | None:
    """The version of the reader that read an adapter's rows: 0 for a release without a reader of
    its own. None if the manifest has no data, or does not exist."""
    data = _data(adapter)
    version = None if data is None else data.get("reader", 0)
    return version if isinstance(version, int) else None


def learned_roles(adapter: Path) -> dict[str, str]:
    """The roles that were mapped to others in the conversations that an adapter was trained on;
    empty if none were, or the manifest does not say."""
    found = (_data(adapter) or {}).get("roles")
    if not isinstance(found, dict):
        return {}
    return {name: role for name, role in found.items() if isinstance(role, str)}


def _data(adapter: Path) -> dict[str, Any] | None:
    """The data in an adapter's manifest; None if there is none."""
    try:
        data = json.loads((adapter / MANIFEST_FILE).read_text(encoding="utf-8"))["data"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return data if isinstance(data, dict) else None


def report_reader_change(adapter: Path, name: str, source: RowsSource, notify: Notify) -> None:
    """Reports if the rows of `source` were read by another version of the reader than those that an
    adapter was trained on."""
    version = reader_of(adapter)
    if source.reader is None or version in (None, source.reader):
        return
    notify(
        f"Adapter {name} was trained on rows that were read by {named(version)}, and they are now "
        f"read by {named(source.reader)}: numbers, dates and empty values may be written "
        "differently than in its training."
    )


def named(version: int | None) -> str:
    """A version of the reader in words."""
    return f"version {version} of the reader" if version else "a release without its own reader"


def write(origin: Origin, trainer: Any, adapter: Path, kept_hashes: Path) -> dict[str, Any]:
    """Writes the manifest of an adapter that was saved in a directory, and returns it."""
    tokenizer = {"sha256": fingerprint(trainer.processing_class)}
    if (adapter / TEMPLATE_FILE).is_file():
        tokenizer["chat_template_sha256"] = of_file(adapter / TEMPLATE_FILE)
    names = {one.name for one in dataclasses.fields(trainer.args) if one.init}
    arguments = {name: value for name, value in trainer.args.to_dict().items() if name in names}
    arguments |= {name: v for name, v in origin.settings.items() if name in STUDIO_SETTINGS}
    manifest = {
        "data": dict(origin.data),
        "prompt": {
            name: {"sha256": of_text(text), "text": text}
            for name, text in templates.of(origin.prompt).items()
        },
        "base_model": _base_model(origin, trainer.model, HashCache(kept_hashes)),
        "tokenizer": tokenizer,
        "versions": _versions(),
        "seed": trainer.args.seed,
        "training_arguments": _plain(arguments),
        "lora_config": _plain(trainer.model.peft_config["default"].to_dict()),
        "hardware": _hardware(trainer.model),
        "workers": origin.workers,
        "adapter": {"sha256": of_file(adapter / "adapter_model.safetensors")},
    }
    if origin.axolotl_config is not None:
        manifest["axolotl_config"] = _plain(origin.axolotl_config)
    text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True)
    (adapter / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")
    return manifest


def _base_model(origin: Origin, model: Any, hashes: HashCache) -> dict[str, Any]:
    """Hashes of the weights and the MLflow run for a directory, the commit for a hub model, and the
    quantisation, if any."""
    folder = Path(origin.source)
    about: dict[str, Any] = {}
    if folder.is_dir():
        about["sha256"] = {file.name: hashes.of(file) for file in base_files(folder)}
        if origin.run:
            about["run"] = origin.run
    else:
        about |= {"name": origin.source, "commit": origin.commit or None}
    quantised = getattr(model.config, "quantization_config", None)
    if quantised is not None:
        about["quantisation"] = _plain(quantised.to_dict())
    return about


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "studio": version("fine-tuning-studio")}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    if torch.version.cuda:
        found["cuda"] = torch.version.cuda
    return found


def _hardware(model: Any) -> dict[str, Any]:
    device = next(model.parameters()).device
    on_gpu = device.type == "cuda"
    capability = "" if on_gpu else torch.backends.cpu.get_cpu_capability()
    return {
        "device": torch.cuda.get_device_name(device) if on_gpu else f"cpu {capability}",
        "dtype": str(model.get_base_model().dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
    }


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON, without those of the machine."""
    return {
        str(name): _value(value)
        for name, value in sorted(settings.items(), key=lambda item: str(item[0]))
        if name not in _OF_THE_MACHINE
    }


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, set | frozenset):
        return sorted(map(_value, value), key=str)
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    if isinstance(value, str) and os.path.isabs(value):
        return Path(value).name
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
