"""Saves adapters and models so that a directory is complete or absent."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard
from safetensors.torch import load_file
from yaml import YAMLError

from ft.job_protocol.files import ANSWERS_FILE, MANIFEST_FILE
from trainer.errors import ModelError
from trainer.model import weights

ADAPTER_FILES = (
    "adapter_*",
    "added_tokens.json",
    "chat_template*",
    ANSWERS_FILE,
    MANIFEST_FILE,
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer*",
    "vocab*",
)
"""Files that belong to an adapter, of all that a training may leave in a folder."""
_BASE_TAG = "base_model:adapter:"
"""Prefix of the tag of a model card that names the base model."""


def save_adapter(
    model: Any,
    tokenizer: Any,
    base_location: str,
    target: Path,
    describe: Callable[[Path], object] = lambda _: None,
) -> None:
    """Saves into a temporary directory next to `target`, and renames it when it is complete.

    `base_location` is the base model that the adapter's config names: as the studio knows it, not
    its path on this machine. `describe` may add files to the directory. Raises ModelError, and
    leaves `target` as it is, if a weight is not finite.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    _require_finite(partial)
    name_base(partial, base_location)
    describe(partial)
    replace_directory(partial, target)


def save_merged(model: Any, tokenizer: Any, target: Path) -> None:
    """Saves a model without adapters, and its tokenizer, for `from_pretrained`."""
    shutil.rmtree(target, ignore_errors=True)
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


def save_copy(source: Path, base_location: str, target: Path) -> None:
    """Saves, as `save_adapter` does, an adapter that another program has written to `source`.

    Raises ModelError if there is none, or if a weight is not finite.
    """
    if not (source / "adapter_config.json").is_file():
        raise ModelError(f"The training has left no adapter in {source.name}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for pattern in ADAPTER_FILES:
        for file in source.glob(pattern):
            shutil.copy2(file, partial)
    _require_finite(partial)
    name_base(partial, base_location)
    replace_directory(partial, target)


def replace_directory(new: Path, target: Path) -> None:
    """Renames `new` to `target`, which may exist."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _require_finite(adapter: Path) -> None:
    file = adapter / "adapter_model.safetensors"
    if file.is_file():
        remedy = "No adapter is saved: try a lower learning_rate."
        weights.require_finite(load_file(file).items(), "The trained adapter", remedy)


def name_base(folder: Path, base_location: str) -> None:
    """Replaces the base in the config and the card of an adapter by the one that the studio knows,
    so that no path of this machine remains. Does nothing without an adapter."""
    config_file = folder / "adapter_config.json"
    if not config_file.is_file():
        return
    config = json.loads(config_file.read_text(encoding="utf-8"))
    loaded_from = config.get("base_model_name_or_path") or ""
    config["base_model_name_or_path"] = base_location
    config_file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    if (folder / "README.md").is_file():
        _name_base_in_card(folder / "README.md", loaded_from, base_location)


def _name_base_in_card(file: Path, loaded_from: str, base_location: str) -> None:
    text = file.read_text(encoding="utf-8")
    try:
        # In the front matter a path may be quoted, or broken into lines.
        card = ModelCard(text, ignore_metadata_errors=True)
    except (YAMLError, ValueError):
        if os.path.isabs(loaded_from):
            file.write_text(text.replace(loaded_from, base_location), encoding="utf-8")
        return
    base, tags = card.data.get("base_model") or [], card.data.get("tags") or []
    bases = [base] if isinstance(base, str) else list(base)
    tagged = [one.removeprefix(_BASE_TAG) for one in tags if one.startswith(_BASE_TAG)]
    places = [one for one in (loaded_from, *bases, *tagged) if os.path.isabs(one)]

    def portable(words: str) -> str:
        for place in sorted(places, key=len, reverse=True):
            words = words.replace(place, base_location)
        return words

    if bases:
        named = [portable(one) for one in bases]
        card.data["base_model"] = named[0] if isinstance(base, str) else named
    if tags:
        card.data["tags"] = [portable(one) for one in tags]
    card.text = portable(card.text)
    card.save(file)
