"""A registered model as a directory for `from_pretrained`.

Training and evaluation use a single model, so an adapter is merged into its base model. The
directory stays in the project for later jobs.
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
"""Location of the directories in the project, one for each MLflow run."""
_BASE, _ADAPTER = Path("artifacts/base"), Path("artifacts/adapter")
"""Paths within a model that the studio has logged, see `trainer.export.registry`."""
_PLAIN = (Path("model"), Path())
"""Paths of a `save_pretrained` directory in models that others have logged."""
_TOKENIZERS = Path("components/tokenizer")
"""Path of the tokenizer in models of MLflow's flavor for transformers."""


def directory(record: ModelMetadata, project: Path) -> Path:
    """The directory, created at first use. Raises ModelError if there is no such model."""
    run = record.mlflow_run_id
    if not run or Path(run).name != run:
        raise ModelError(f"Model {record.name} cannot be loaded: its record has no MLflow run.")
    target = (project / FOLDER / run).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Jobs that start together would all create it.
    with FileLock(target.with_name(f".{run}.lock")):
        if not target.exists():
            partial = target.with_name(f".{run}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{run}.") as fetched:
                _save_model(_download(record, project, fetched), partial, record.name)
            saving.replace_directory(partial, target)
    return target


def _download(record: ModelMetadata, project: Path, target: str) -> Path:
    """Downloads the files that were logged in the model's run into the directory `target`."""
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
        # MLflow before version 3 logged models as artifacts.
        for file in client.list_artifacts(record.mlflow_run_id):
            if file.is_dir:
                place = f"runs:/{record.mlflow_run_id}/{file.path}"
                return Path(artifacts.download_artifacts(place, dst_path=target))
    except MlflowException as error:
        # The store's own error repeats its address, which may have a password.
        why = runs.safe_text(error)
        raise ModelError(f"Model {record.name} cannot be read from MLflow: {why}") from None
    raise ModelError(f"Model {record.name}: its MLflow run {record.mlflow_run_id} has no files.")


def _save_model(logged: Path, target: Path, name: str) -> None:
    if (logged / _ADAPTER / "adapter_config.json").is_file():
        # In 32 bits: rounding would make the model another than the exported one.
        base = loading.load_model(str(logged / _BASE), Hardware(1), torch.float32, None, name=name)
        adapter = logged / _ADAPTER
        record = AdapterMetadata(type=AdapterType.PROJECT, name=name, location=str(adapter))
        merged = loading.merged_model(loading.load_adapter(base, record, adapter.parent))
        saving.save_merged(merged, loading.load_tokenizer(str(adapter)), target)
        return
    for place in _PLAIN:
        if (logged / place / "config.json").is_file():
            shutil.copytree(logged / place, target)
            if (logged / _TOKENIZERS).is_dir():
                shutil.copytree(logged / _TOKENIZERS, target, dirs_exist_ok=True)
            return
    raise ModelError(f"Model {name}: its MLflow run has no directory with a config.json.")
