"""Reports to MLflow: of a training if its settings ask for it, of an evaluation always."""

import importlib.util
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from filelock import FileLock

from rows.errors import first_line
from trainer.errors import TrackingError, TrainerError
from trainer.model.hardware import Notify

_CREDENTIALS = re.compile(r"//\S*@|[^\s/:]+:(?!//)\S+@")
"""Credentials in an address, also in a malformed one: with a slash in its password, or without a
scheme."""
KILLED = "KILLED"
"""MLflow's status of runs that were ended from outside."""
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}
"""Timeout in seconds and retries of calls to a server: with MLflow's defaults they take minutes."""


@dataclass(frozen=True)
class Run:
    """Completed work, as the tracking store stores it."""

    name: str
    seconds: float
    """Duration of the work, up to now."""
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    files: Sequence[Path]


def prepare(
    report_to: str | list[str] | None, experiment: str, project: Path, notify: Notify
) -> list[str]:
    """The services that a training reports to; MLflow is among them if it is asked for and
    available.

    The experiment is the job's own: unfinished runs in it belong to killed attempts, and are ended.
    """
    wanted = [report_to] if isinstance(report_to, str) else list(report_to or [])
    if "all" in wanted:
        # The user does not know what is installed.
        wanted = ["mlflow"]
    if "mlflow" in wanted and importlib.util.find_spec("mlflow") is None:
        notify("report_to mlflow is left out: the package mlflow is not installed.")
        wanted.remove("mlflow")
    if "mlflow" in wanted:
        try:
            experiment_id = open_experiment(experiment, project)
            from mlflow import MlflowClient

            with tracking_errors():
                client = MlflowClient()
                for run in unfinished(client, experiment_id):
                    client.set_terminated(run.info.run_id, KILLED)
                    name = run.info.run_name
                    notify(f"MLflow run {name} of an earlier attempt is marked as {KILLED}.")
        except TrackingError as error:
            # The adapter matters more than the reports.
            notify(f"The training is not reported to MLflow. {error}")
            wanted.remove("mlflow")
    return wanted or ["none"]


def unfinished(client: Any, experiment_id: str) -> list[Any]:
    """Runs of an experiment that have not ended, as MLflow's client has them."""
    return list(client.search_runs([experiment_id], "attributes.status = 'RUNNING'"))


def connect(project: Path) -> FileLock:
    """Makes MLflow use its store; returns the lock under which tables may be created.

    Two jobs that start together would both create the tables of a new database.
    """
    database = (project / "mlflow.db").absolute()
    # With sqlite:/// alone, MLflow would create a folder with the quoted name.
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite+pysqlite:///{quote(str(database))}")
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    _separate_credentials()
    import mlflow

    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    return FileLock(f"{database}.lock")


def _separate_credentials() -> None:
    """Moves user and password from a server's address into MLflow's variables: it prints the
    address."""
    parts = urlsplit(os.environ["MLFLOW_TRACKING_URI"])
    credentials, at, host = parts.netloc.rpartition("@")
    if not at or parts.scheme not in ("http", "https"):
        return
    user, _, password = credentials.partition(":")
    os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(user)
    os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(password)
    os.environ["MLFLOW_TRACKING_URI"] = urlunsplit(parts._replace(netloc=host))


def open_experiment(name: str, project: Path) -> str:
    """Opens the experiment of that name, and creates it if it does not exist; returns its id.
    Raises TrackingError."""
    os.environ["MLFLOW_EXPERIMENT_NAME"] = name
    with tracking_errors(), connect(project):
        import mlflow

        return str(mlflow.set_experiment(name).experiment_id)


def log(experiment_id: str, run: Run) -> None:
    """Adds the run to an open experiment in one step, so that a killed job leaves no unfinished
    run. Raises TrackingError."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    now = time.time()
    with tracking_errors():
        client = MlflowClient()
        begin = round((now - run.seconds) * 1000)
        made = client.create_run(experiment_id, run_name=run.name, start_time=begin)
        id = made.info.run_id
        client.log_batch(
            id,
            metrics=[
                Metric(name, value, round(now * 1000), 0) for name, value in run.metrics.items()
            ],
            params=[Param(name, str(value)) for name, value in run.params.items()],
        )
        for file in run.files:
            client.log_artifact(id, str(file))
        client.set_terminated(id)


@contextmanager
def tracking_errors() -> Iterator[None]:
    """Raises errors of the store in the block as TrackingError, without its password."""
    try:
        yield
    except TrainerError:
        raise
    except Exception as error:
        raise TrackingError(f"MLflow's tracking store cannot be used: {safe_text(error)}") from None


def safe_text(error: Exception) -> str:
    """The first line of a store's error without credentials: errors of its libraries repeat its
    address."""
    return _CREDENTIALS.sub("//", first_line(error))
