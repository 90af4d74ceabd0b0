"""Whether an adapter belongs to the base model that it is loaded on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ft.adapters import files
from ft.adapters.files import Misfits
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
    """Of the hub, at which it is loaded."""
    run: str = ""
    """The run of MLflow that a registered model was logged in."""

    def hashes(self) -> dict[str, str]:
        """SHA-256 of the files of its weights, by their names."""
        folder = Path(self.source)
        if not folder.is_dir():
            folder = hub.model_folder(self.source, self.commit)
        return files.hashes_of(files.base_files(folder))


def base_of(model: ModelMetadata, source: str) -> BaseModelSource:
    """A registered model, loaded from `source`, as adapters are compared with it."""
    name = model.huggingface_model_name if model.type == ModelType.HUGGINGFACE else ""
    return BaseModelSource(source, name, model.commit, run_of(model))


def run_of(model: ModelMetadata) -> str:
    """The run of MLflow that a registered model was logged in; empty for others."""
    return model.mlflow_run_id if model.type == ModelType.MODEL_REGISTRY else ""


def settle_commit(model: ModelMetadata, adapter: str, notify: Notify) -> None:
    """Gives the record of a model of the hub the commit at which an adapter's training saw it.

    `adapter` is its directory. Raises ModelError if the commit is gone.
    """
    if model.type != ModelType.HUGGINGFACE:
        return
    name = model.huggingface_model_name
    seen = commits_of(manifest_of(adapter))[:2]
    commit = _commit_seen(name, model.commit, seen, (name, "loaded"), notify)
    model.commit = hub.commit_of_model(name, commit)


def settle_dataset(dataset: DatasetMetadata, adapter: str, notify: Notify) -> None:
    """Gives the record of a data set of the hub the commit at which an adapter's training saw it,
    so that the rows that were held out are the same."""
    if dataset.type != DatasetType.HUGGINGFACE:
        return
    name = dataset.huggingface_name
    seen = commits_of(manifest_of(adapter))[2:]
    what = f"data set {name}", "read"
    dataset.commit = _commit_seen(name, dataset.commit, seen, what, notify)


def _commit_seen(
    name: str, commit: str, seen: tuple[str, str], what: tuple[str, str], notify: Notify
) -> str:
    """The commit of `seen`, the name and commit that a training saw, if it is of that name; else
    the one that is registered, with a notice if the training's is not recorded."""
    seen_name, seen_commit = seen
    if seen_name == name and seen_commit:
        return seen_commit
    if seen_name in ("", name):
        called, used = what
        notify(
            f"The commit of {called} that the adapter was trained on is not recorded beside it: "
            f"{commit or 'the newest'} is {used}."
        )
    return commit


def manifest_of(source: str) -> dict[str, Any]:
    """The manifest of an adapter in a directory; empty if it has none."""
    return files.of_folder(Path(source)).manifest


def commits_of(manifest: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Name and commit of the base model that a training saw, and of its data set; empty where they
    did not come from the hub or the manifest does not say."""
    base, data = (_object(manifest.get(part)) for part in ("base_model", "data"))
    wanted = (base.get("name"), base.get("commit"), data.get("name"), data.get("commit"))
    name, commit, dataset, dataset_commit = (str(one or "") for one in wanted)
    return name, commit, dataset, dataset_commit


def require(what: str, source: str, base: BaseModelSource | None) -> None:
    """Raises ModelError if the files of the adapter in a directory are not whole, hold numbers that
    are not finite, are of another kind, or say that it comes from another base."""
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
    """Raises ModelError if the adapter's file lacks weights, or has some that have no place in the
    model; the library loads such an adapter with no more than a warning."""
    from peft.utils.save_and_load import load_peft_weights, set_peft_model_state_dict

    device = str(next(adapted.parameters()).device)
    content = load_peft_weights(source, device=device, token=hub.token())
    wanted = set(adapter_weights(adapted))
    result = set_peft_model_state_dict(adapted, content)
    if adapted.active_peft_config.is_prompt_learning:
        # Its weights lie beside the model, of which the library's result tells.
        lacking, placeless = wanted - set(content), set(content) - wanted
    else:
        # Names of older models, which the library replaces, are not missing there.
        missing = [f"{_saved_name(one)}." for one in result.missing_keys]
        lacking = {
            name
            for name in wanted - set(content)
            if any(one.startswith(f"{name}.") for one in missing)
        }
        placeless = {_saved_name(one) for one in result.unexpected_keys}
    found = Misfits(sorted(lacking), sorted(placeless))
    if said := found.said(what):
        raise ModelError(said)


def adapter_weights(adapted: Any) -> dict[str, torch.Tensor]:
    """The weights that the adapter has brought, by their names in its file."""
    from peft import get_peft_model_state_dict

    found: dict[str, torch.Tensor] = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    return found


def cannot_load(what: str, error: Exception) -> str:
    """Why an adapter cannot be loaded, in a sentence; of shapes that do not fit, which."""
    if found := _MISMATCH.findall(str(error)):
        shapes = {
            _saved_name(name): tuple(int(one) for one in re.findall(r"\d+", shape))
            for name, shape in found
        }
        return Misfits(misshapen=shapes).said(what)
    if isinstance(error, KeyError):  # A whole module that the config speaks of.
        return Misfits(lacking=[str(error.args[0])]).said(what)
    return f"{what} cannot be loaded: {first_line(error)}"


def _saved_name(name: str) -> str:
    """The name in an adapter's file of a weight in the model, where the adapter has a name too."""
    return name.replace(".modules_to_save.default", "").replace(".default", "")


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
