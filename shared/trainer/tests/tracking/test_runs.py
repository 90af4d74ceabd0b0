"""Places of runs in MLflow."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from ft.enums import FailureKind
from trainer.errors import TrackingError, kind_of
from trainer.tracking import runs


@pytest.mark.parametrize(
    "address", ["http://user:pass-word@127.0.0.1:1", "http://user:a/pass-word@127.0.0.1:1"]
)
def test_store_that_is_down_is_reported_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(TrackingError, match=r"cannot be used: .*http://127\.0\.0\.1:1") as told:
        runs.open_experiment("e", tmp_path)
    assert "pass-word" not in str(told.value)
    assert told.value.__suppress_context__
    # It may be back the next time.
    assert kind_of(told.value) is FailureKind.ERROR


def test_address_without_a_scheme_is_reported_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "user:pass-word@127.0.0.1:1")
    with pytest.raises(TrackingError, match=r"cannot be used: .*127\.0\.0\.1:1") as told:
        runs.open_experiment("e", tmp_path)
    assert "pass-word" not in str(told.value)


REPORTS = """
import sys, time
from pathlib import Path
from trainer.tracking import runs

experiment = sys.argv[1]
assert runs.prepare("mlflow", experiment, Path.cwd(), print) == ["mlflow"]
import mlflow

with mlflow.start_run(run_name=f"of {experiment}"):
    mlflow.log_metric("loss", 1.0)
    print("reported", flush=True)
    time.sleep(600)
"""


@pytest.mark.starts_processes
def test_runs_of_attempts_that_were_killed_are_ended_by_the_next_of_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for experiment in ("job-1", "job-2"):
        process = subprocess.Popen(
            [sys.executable, "-c", REPORTS, experiment],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert "reported\n" in iter(process.stdout.readline, "")
        process.kill()
        assert process.wait(300) == -signal.SIGKILL
    told: list[str] = []
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")

    def states(experiment: str) -> list[str]:
        found = client.get_experiment_by_name(experiment)
        assert found is not None
        return [str(run.info.status) for run in client.search_runs([found.experiment_id])]

    assert states("job-1") == states("job-2") == ["RUNNING"]
    assert runs.prepare("mlflow", "job-1", tmp_path, told.append) == ["mlflow"]
    assert told == ["MLflow run of job-1 of an earlier attempt is marked as KILLED."]
    # Another job may still be at work on its own.
    assert (states("job-1"), states("job-2")) == (["KILLED"], ["RUNNING"])
