"""A registered model as a directory that `from_pretrained` takes.

What is trained and evaluated on is one model, so an adapter is merged into its base model; the
directory stays in the project, and the next job finds it there.
"""

import shutil
import tempfile
from pathlib import Path

import torch
from filelock import FileLock

from ft.api import AdapterMetadata, AdapterType, ModelMetadata
from trainer.errors import ModelError
from trainer.model import loading, saving
from trainer.model.hardware import Hardware
from trainer.tracking import runs

FOLDER = "models/registry"
"""Where the directories lie in the project, one for each run of MLflow."""
_BASE, _ADAPTER = Path("artifacts/base"), Path("artifacts/adapter")
"""Within what the studio logs, see `trainer.export.registry`."""
_PLAIN = (Path("model"), Path())
"""Where MLflow's own flavors, and people, put a `save_pretrained` directory."""
_TOKENIZERS = Path("components/tokenizer")
"""Where MLflow's flavor for transformers puts the tokenizer beside it."""


def directory(record: ModelMetadata, project: Path) -> Path:
    """The directory, made if it is not there yet. Raises ModelError if there is no such model."""
    run = record.mlflow_run_id
    if not run or Path(run).name != run:
        raise ModelError(f"Model {record.name} names no run of MLflow that it was logged in.")
    target = (project / FOLDER / run).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Jobs that start together would all make it.
    with FileLock(target.with_name(f".{run}.lock")):
        if not target.exists():
            partial = target.with_name(f".{run}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{run}.") as fetched:
                _make(_logged(record, project, fetched), partial, record.name)
            saving.replace_directory(partial, target)
    return target


def _logged(record: ModelMetadata, project: Path, target: str) -> Path:
    """The files that were logged in the model's run, fetched into the directory `target`."""
    with runs.tracking_errors(), runs.connect(project):
        from mlflow import MlflowClient, artifacts
        from mlflow.exceptions import MlflowException

        client = MlflowClient()
    try:
        outputs = client.get_run(record.mlflow_run_id).outputs
        logged = outputs.model_outputs if outputs else []
        if logged:
            place = f"models:/{logged[0].model_id}"
            return Path(artifacts.download_artifacts(place, dst_path=target))
        # As MLflow did it before its version 3.
        for file in client.list_artifacts(record.mlflow_run_id):
            if file.is_dir:
                place = f"runs:/{record.mlflow_run_id}/{file.path}"
                return Path(artifacts.download_artifacts(place, dst_path=target))
    except MlflowException as error:
        # The store's own error repeats its address, with the password that may be in it.
        why = runs.safe_text(error)
        raise ModelError(f"Model {record.name} cannot be read from MLflow: {why}") from None
    raise ModelError(f"Model {record.name}: nothing is logged in its run {record.mlflow_run_id}.")


def _make(logged: Path, target: Path, name: str) -> None:
    if (logged / _ADAPTER / "adapter_config.json").is_file():
        _merge(logged / _BASE, logged / _ADAPTER, target, name)
        return
    for place in _PLAIN:
        if (logged / place / "config.json").is_file():
            shutil.copytree(logged / place, target)
            if (logged / _TOKENIZERS).is_dir():
                shutil.copytree(logged / _TOKENIZERS, target, dirs_exist_ok=True)
            return
    raise ModelError(f"Model {name} has no directory with a config.json among what is logged.")


def _merge(base: Path, adapter: Path, target: Path, name: str) -> None:
    # In 32 bits: rounding would make another model of it than the one that was exported.
    loaded = loading.load_model(str(base), Hardware(1), torch.float32, None, name=name)
    record = AdapterMetadata(type=AdapterType.PROJECT, name=name, location=str(adapter))
    adapted = loading.load_adapter(loaded, record, adapter.parent)
    saving.save_merged(loading.merged_model(adapted), loading.load_tokenizer(str(adapter)), target)
