"""Checks that an adapter is complete and belongs to the base model that it is loaded on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ft.adapters import files
from ft.adapters.files import IncompatibleWeights
from ft.api import DatasetMetadata, DatasetType, ModelMetadata, ModelType
from rows.errors import first_line
from trainer.errors import ModelError
from trainer.model import hub
from trainer.model.hardware import Notify

_MISMATCH = re.compile(r"size mismatch for (\S+): copying a param with shape torch\.Size\((.*?)\)")


@dataclass(frozen=True)
class BaseModelSource:
    """The base model that an adapter is loaded on."""

    source: str
    """Its directory, or its name on the hub."""
    name: str = ""
    """Its name on the hub; empty for a directory."""
    commit: str = ""
    """The commit on the hub at which it is loaded."""
    run: str = ""
    """The MLflow run that a registered model was logged in."""

    def hashes(self) -> dict[str, str]:
        """SHA-256 of the files of its weights, by their names."""
        folder = Path(self.source)
        if not folder.is_dir():
            folder = hub.model_folder(self.source, self.commit)
        return files.hashes_of(files.base_files(folder))


def base_of(model: ModelMetadata, source: str) -> BaseModelSource:
    """A registered model that is loaded from `source`, as the base of an adapter."""
    name = model.huggingface_model_name if model.type == ModelType.HUGGINGFACE else ""
    return BaseModelSource(source, name, model.commit, run_of(model))


def run_of(model: ModelMetadata) -> str:
    """The MLflow run that a registered model was logged in; empty for other models."""
    return model.mlflow_run_id if model.type == ModelType.MODEL_REGISTRY else ""


def settle_commit(model: ModelMetadata, adapter: str, notify: Notify) -> None:
    """Sets the commit in the record of a hub model to the one that an adapter was trained on.

    `adapter` is its directory. Raises ModelError if the commit no longer exists.
    """
    if model.type != ModelType.HUGGINGFACE:
        return
    name = model.huggingface_model_name
    seen = commits_of(manifest_of(adapter))[:2]
    commit = _commit_seen(name, model.commit, seen, (name, "loaded"), notify)
    model.commit = hub.commit_of_model(name, commit)


def settle_dataset(dataset: DatasetMetadata, adapter: str, notify: Notify) -> None:
    """Sets the commit in the record of a hub dataset to the one that an adapter was trained on, so
    that the same rows are held out."""
    if dataset.type != DatasetType.HUGGINGFACE:
        return
    name = dataset.huggingface_name
    seen = commits_of(manifest_of(adapter))[2:]
    what = f"dataset {name}", "read"
    dataset.commit = _commit_seen(name, dataset.commit, seen, what, notify)


def _commit_seen(
    name: str, commit: str, seen: tuple[str, str], what: tuple[str, str], notify: Notify
) -> str:
    """The commit of `seen`, name and commit of a training, if the name is the same; else the
    registered one, with a notice if the manifest has no commit."""
    seen_name, seen_commit = seen
    if seen_name == name and seen_commit:
        return seen_commit
    if seen_name in ("", name):
        called, used = what
        notify(
            f"The adapter's manifest has no commit of {called}, which it was trained on: "
            f"{commit or 'the newest'} is {used}."
        )
    return commit


def manifest_of(source: str) -> dict[str, Any]:
    """The manifest of an adapter in a directory; empty if it has none."""
    return files.of_folder(Path(source)).manifest


def commits_of(manifest: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Names and commits of the base model and the dataset that an adapter was trained on; empty if
    they are not from the hub or not in the manifest."""
    parts = (manifest.get(name) for name in ("base_model", "data"))
    base, data = (part if isinstance(part, dict) else {} for part in parts)
    wanted = (base.get("name"), base.get("commit"), data.get("name"), data.get("commit"))
    name, commit, dataset, dataset_commit = (str(one or "") for one in wanted)
    return name, commit, dataset, dataset_commit


def require(what: str, source: str, base: BaseModelSource | None) -> None:
    """Raises ModelError if an adapter's files are incomplete, have numbers that are not finite, are
    of another kind of adapter, or belong to another base."""
    found = files.of_folder(Path(source))
    if found.faults:
        raise ModelError(files.not_loadable(what, found.faults))
    wrong = files.other_kind(what, found.config)
    if not wrong and (names := found.not_finite()):
        wrong = files.not_finite(what, names, files.TRAIN_AGAIN)
    if not wrong and base is not None:
        wrong = files.other_base(what, found, base.name, base.hashes, base.run)
    if wrong:
        raise ModelError(wrong)


def require_placed(what: str, adapted: Any, source: str) -> None:
    """Raises ModelError if the adapter's file lacks weights, or has weights that do not belong to
    the model; the library only warns of this."""
    from peft.utils.save_and_load import load_peft_weights, set_peft_model_state_dict

    device = str(next(adapted.parameters()).device)
    content = load_peft_weights(source, device=device, token=hub.token())
    wanted = set(adapter_weights(adapted))
    result = set_peft_model_state_dict(adapted, content)
    if adapted.active_peft_config.is_prompt_learning:
        # The library's result covers the model only, and these weights are not part of it.
        lacking, placeless = wanted - set(content), set(content) - wanted
    else:
        # The library replaces names of older models, so these are not missing.
        missing = [f"{_saved_name(one)}." for one in result.missing_keys]
        lacking = {
            name
            for name in wanted - set(content)
            if any(one.startswith(f"{name}.") for one in missing)
        }
        placeless = {_saved_name(one) for one in result.unexpected_keys}
    found = IncompatibleWeights(sorted(lacking), sorted(placeless))
    if message := found.sentence(what):
        raise ModelError(message)


def adapter_weights(adapted: Any) -> dict[str, torch.Tensor]:
    """The weights that the adapter has added, by their names in its file."""
    from peft import get_peft_model_state_dict

    found: dict[str, torch.Tensor] = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    return found


def cannot_load(what: str, error: Exception) -> str:
    """The reason, in one sentence, why an adapter cannot be loaded; names weights of wrong
    shapes."""
    if found := _MISMATCH.findall(str(error)):
        shapes = {
            _saved_name(name): tuple(int(one) for one in re.findall(r"\d+", shape))
            for name, shape in found
        }
        return IncompatibleWeights(mismatched=shapes).sentence(what)
    if isinstance(error, KeyError):  # A module that the config names.
        return IncompatibleWeights(missing=[str(error.args[0])]).sentence(what)
    return f"{what} cannot be loaded: {first_line(error)}"


def _saved_name(name: str) -> str:
    """The name in an adapter's file of a weight in the model, which also has the adapter's name."""
    return name.replace(".modules_to_save.default", "").replace(".default", "")
