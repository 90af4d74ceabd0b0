"""Reporting to MLflow, where the settings ask for it."""

import importlib.util
import os
from pathlib import Path

from filelock import FileLock

from trainer.hardware import Notify


def prepare(
    report_to: str | list[str] | None, experiment: str, project: Path, notify: Notify
) -> list[str]:
    """Where the trainer reports to, once MLflow is ready for it if it is among them.

    The tracking store is a database in the project directory, unless MLFLOW_TRACKING_URI names
    another one.
    """
    wanted = [report_to] if isinstance(report_to, str) else list(report_to or [])
    if "all" in wanted:
        # Whatever happens to be installed is no choice.
        wanted = ["mlflow"]
    if "mlflow" in wanted and importlib.util.find_spec("mlflow") is None:
        notify("report_to mlflow is left out: the package mlflow is not installed.")
        wanted.remove("mlflow")
    if "mlflow" in wanted:
        open_experiment(experiment, project)
    return wanted or ["none"]


def connect(project: Path) -> FileLock:
    """Has MLflow use its store, see `prepare`; the lock under which its tables may be made.

    Two jobs that start together would both create the tables of a new database.
    """
    database = (project / "mlflow.db").absolute()
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
    import mlflow

    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    return FileLock(f"{database}.lock")


def open_experiment(experiment: str, project: Path) -> None:
    """Has MLflow write into the experiment, which is made if it is not there."""
    os.environ["MLFLOW_EXPERIMENT_NAME"] = experiment
    import mlflow

    with connect(project):
        mlflow.set_experiment(experiment)
