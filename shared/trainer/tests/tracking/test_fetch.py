"""Models of the registry, read back as directories."""

from pathlib import Path

import mlflow
import pytest

from ft.api import ModelMetadata
from trainer.errors import ModelError
from trainer.model.hardware import Hardware
from trainer.model.loading import load_model, load_tokenizer, weight_type
from trainer.tests.support import written
from trainer.tracking import runs
from trainer.tracking.fetch import directory


def test_missing_registered_model_is_reported(project: Path) -> None:
    for run, why in (
        ("", "has no MLflow run"),
        ("../x", "has no MLflow run"),
        ("f" * 32, "cannot be read"),
    ):
        with pytest.raises(ModelError, match=why):
            directory(ModelMetadata(type="model_registry", name="m", mlflow_run_id=run), project)


def test_store_that_is_down_is_reported_without_its_password(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:pass-word@127.0.0.1:1")
    record = ModelMetadata(type="model_registry", name="m", mlflow_run_id="f" * 32)

    with pytest.raises(ModelError, match=r"cannot be read from MLflow: .*http://127") as told:
        directory(record, project)

    assert "pass-word" not in str(told.value)
    assert told.value.__suppress_context__


def test_model_that_mlflow_has_logged_by_itself_is_read_back(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    runs.open_experiment("another's", project)
    source = str(project / "starter/model")
    parts = {
        "model": load_model(source, Hardware(1), weight_type(Hardware(1)), None),
        "tokenizer": load_tokenizer(source),
    }
    with mlflow.start_run() as run:
        mlflow.transformers.log_model(
            parts, name="model", task="text-generation", pip_requirements=[]
        )
    record = ModelMetadata(type="model_registry", name="m", mlflow_run_id=run.info.run_id)

    assert written(str(directory(record, project)), project) == written(source, project)
