"""Whether an adapter belongs to the base model that it is loaded on."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ft import adapter_base
from ft.adapter_base import CONFIG
from ft.api import DatasetMetadata, DatasetType, ModelMetadata, ModelType
from rows.errors import first_line
from rows.weight_files import shown
from trainer import hub
from trainer.errors import ModelError
from trainer.hardware import Notify
from trainer.hashes import of_file
from trainer.manifest import FILE

_MISMATCH = re.compile(r"size mismatch for (\S+): copying a param with shape torch\.Size\((.*?)\)")
_OF_ADAPTER = ("lora_", "modules_to_save", "trainable_tokens")
"""Parts of the names of weights that an adapter brings."""


@dataclass(frozen=True)
class Base:
    """The base model that an adapter is loaded on."""

    source: str
    """Its directory, or its name on the hub."""
    name: str = ""
    """Its name on the hub; empty for a directory."""
    compared: bool = True
    """Whether the hashes of its files tell it from another. A directory that is made of a
    registered model may be written anew."""


def base_of(model: ModelMetadata, source: str) -> Base:
    """A registered model, loaded from `source`, as adapters are compared with it."""
    name = model.huggingface_model_name if model.type == ModelType.HUGGINGFACE else ""
    return Base(source, name, compared=model.type == ModelType.PROJECT)


def settle_commit(model: ModelMetadata, adapter: str, notify: Notify) -> None:
    """Gives the record of a model of the hub the commit at which an adapter's training saw it.

    `adapter` is its directory, or its name on the hub. Raises ModelError if the commit is gone.
    """
    if model.type != ModelType.HUGGINGFACE:
        return
    name, commit, _, _ = commits_of(manifest_of(adapter))
    if name == model.huggingface_model_name and commit:
        model.commit = commit
    elif not name or name == model.huggingface_model_name:
        notify(
            f"The commit of {model.huggingface_model_name} that the adapter was trained on is not "
            f"recorded beside it: {model.commit or 'the newest'} is loaded."
        )
    model.commit = hub.commit_of_model(model.huggingface_model_name, model.commit)


def settle_dataset(dataset: DatasetMetadata, adapter: str, notify: Notify) -> None:
    """Gives the record of a data set of the hub the commit at which an adapter's training saw it,
    so that the rows that were held out are the same."""
    if dataset.type != DatasetType.HUGGINGFACE:
        return
    _, _, name, commit = commits_of(manifest_of(adapter))
    if name == dataset.huggingface_name and commit:
        dataset.commit = commit
    elif not name or name == dataset.huggingface_name:
        notify(
            f"The commit of data set {dataset.huggingface_name} that the adapter was trained on is "
            f"not recorded beside it: {dataset.commit or 'the newest'} is read."
        )


def manifest_of(source: str) -> dict[str, Any]:
    """The manifest of an adapter, in a directory or on the hub; empty if it has none."""
    return _json_of(source, FILE)


def commits_of(manifest: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Name and commit of the base model that a training saw, and of its data set; empty where they
    did not come from the hub or the manifest does not say."""
    base, data = (_object(manifest.get(part)) for part in ("base_model", "data"))
    wanted = (base.get("name"), base.get("commit"), data.get("name"), data.get("commit"))
    name, commit, dataset, dataset_commit = (str(one or "") for one in wanted)
    return name, commit, dataset, dataset_commit


def require(what: str, source: str, base: Base) -> None:
    """Raises ModelError if the adapter in a directory, or of a name on the hub, says that it comes
    from another base: another name on the hub, or other weights. A path means nothing."""
    told = _object(manifest_of(source).get("base_model"))
    named = str(told.get("name") or "")
    if base.name:
        if not named and not told.get("sha256"):
            named = adapter_base.of_config(_json_of(source, CONFIG), Path(source), Path.cwd())
        if named and named != base.name:
            raise ModelError(
                f"{what} belongs to another base model: it was trained on {named}, "
                f"and this is {base.name}."
            )
    wanted = _object(told.get("sha256"))
    folder = Path(base.source)
    if not wanted or not base.compared or not folder.is_dir():
        return
    files = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    found = {file.name: of_file(file) for file in files}
    if sorted(found.values()) != sorted(map(str, wanted.values())):
        other = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
        raise ModelError(
            f"{what} belongs to another base model: the hashes of {shown(other)} are not those of "
            f"the weights that it was trained on ({FILE} beside it)."
        )


def placed(adapted: Any, source: str) -> tuple[list[str], list[str]]:
    """Weights that the adapter's file lacks, and weights of the file that have no place in the
    model; the library loads such an adapter with no more than a warning."""
    from peft.utils.save_and_load import load_peft_weights, set_peft_model_state_dict

    device = str(next(adapted.parameters()).device)
    content = load_peft_weights(source, device=device, token=hub.token())
    result = set_peft_model_state_dict(adapted, content)
    every = dict(adapted.named_parameters(remove_duplicate=False))
    lacking = {name for name in result.missing_keys if name in of_adapter(adapted)}
    # What is tied to a weight that has come has come with it.
    there = {id(one) for name, one in every.items() if name not in lacking}
    return (
        sorted(name for name in lacking if id(every[name]) not in there),
        sorted(result.unexpected_keys),
    )


def require_placed(what: str, found: tuple[list[str], list[str]]) -> None:
    """Raises ModelError naming what `placed` has found."""
    lacking, without = found
    wrong = []
    if without:
        wrong.append(f"{len(without)} of its weights have no place in the model: {shown(without)}")
    if lacking:
        wrong.append(f"it lacks {len(lacking)} weights: {shown(lacking)}")
    if wrong:
        raise ModelError(
            f"{what} does not fit the base model: {'; '.join(wrong)}. Use the base model that it "
            "was trained on."
        )


def of_adapter(adapted: Any) -> dict[str, torch.Tensor]:
    """The weights that the adapter has brought, by name."""
    return {
        name: one
        for name, one in adapted.named_parameters(remove_duplicate=False)
        if any(part in name for part in _OF_ADAPTER) and ".original_module." not in name
    }


def why(error: Exception) -> str:
    """Why an adapter cannot be loaded; of shapes that do not fit, which."""
    if found := _MISMATCH.findall(str(error)):
        names = [f"{name} ({shape})" for name, shape in found]
        return f"{len(names)} of its weights do not fit the base model: {shown(names)}."
    return first_line(error)


def _json_of(source: str, name: str) -> dict[str, Any]:
    file = Path(source) / name
    try:
        if not Path(source).is_dir():
            from huggingface_hub import hf_hub_download

            file = Path(hf_hub_download(source, name, token=hub.token()))
        return _object(json.loads(file.read_text(encoding="utf-8")))
    except Exception:
        # It is for whoever loads the adapter to say what is wrong with its files.
        return {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
