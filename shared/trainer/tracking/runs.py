"""Reporting to MLflow: training where its settings ask for it, evaluation always."""

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
"""In an address, also where it is not written as it should be: a password with a slash in it that
stands as it is, or an address without its scheme."""
KILLED = "KILLED"
"""How runs end that nobody works on any more, as MLflow calls it."""
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}
"""How long a server is waited for, in seconds, and how often it is asked again: MLflow itself would
do so for minutes."""


@dataclass(frozen=True)
class Run:
    """Work that is done, as the tracking store keeps it."""

    name: str
    seconds: float
    """How long it took, up to now."""
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    files: Sequence[Path]


def prepare(
    report_to: str | list[str] | None, experiment: str, project: Path, notify: Notify
) -> list[str]:
    """Where the trainer reports to; MLflow is among them if it is asked for and ready for it.

    The experiment is the job's own: runs in it that have not ended are of attempts that were
    killed, and are ended.
    """
    wanted = [report_to] if isinstance(report_to, str) else list(report_to or [])
    if "all" in wanted:
        # Whatever happens to be installed is no choice.
        wanted = ["mlflow"]
    if "mlflow" in wanted and importlib.util.find_spec("mlflow") is None:
        notify("report_to mlflow is left out: the package mlflow is not installed.")
        wanted.remove("mlflow")
    if "mlflow" in wanted:
        try:
            _end_unfinished(open_experiment(experiment, project), notify)
        except TrackingError as error:
            # The adapter is what the job is for.
            notify(f"The training is not reported to MLflow. {error}")
            wanted.remove("mlflow")
    return wanted or ["none"]


def _end_unfinished(experiment_id: str, notify: Notify) -> None:
    from mlflow import MlflowClient

    with tracking_errors():
        client = MlflowClient()
        for run in unfinished(client, experiment_id):
            client.set_terminated(run.info.run_id, KILLED)
            notify(f"Run {run.info.run_name} of an attempt before this is ended as {KILLED}.")


def unfinished(client: Any, experiment_id: str) -> list[Any]:
    """Runs of an experiment that have not ended, as MLflow's client has them."""
    return list(client.search_runs([experiment_id], "attributes.status = 'RUNNING'"))


def connect(project: Path) -> FileLock:
    """Has MLflow use its store, see `prepare`; the lock under which its tables may be made.

    Two jobs that start together would both create the tables of a new database.
    """
    database = (project / "mlflow.db").absolute()
    # Of sqlite:/// alone, MLflow would make a folder with the quoted name.
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite+pysqlite:///{quote(str(database))}")
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    _set_credentials_apart()
    import mlflow

    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    return FileLock(f"{database}.lock")


def _set_credentials_apart() -> None:
    """Takes user and password out of a server's address: MLflow prints it, and has variables of
    its own for them."""
    parts = urlsplit(os.environ["MLFLOW_TRACKING_URI"])
    credentials, at, host = parts.netloc.rpartition("@")
    if not at or parts.scheme not in ("http", "https"):
        return
    user, _, password = credentials.partition(":")
    os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(user)
    os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(password)
    os.environ["MLFLOW_TRACKING_URI"] = urlunsplit(parts._replace(netloc=host))


def open_experiment(name: str, project: Path) -> str:
    """Id of the experiment of that name, which is made if it is not there; MLflow writes into it.

    Raises TrackingError.
    """
    os.environ["MLFLOW_EXPERIMENT_NAME"] = name
    with tracking_errors(), connect(project):
        import mlflow

        return str(mlflow.set_experiment(name).experiment_id)


def log(experiment_id: str, run: Run) -> None:
    """Adds the run to an open experiment, all of it at once: none is left unfinished by a job that
    is killed. Raises TrackingError."""
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
    """Whatever the store raises in the block becomes a TrackingError without its password."""
    try:
        yield
    except TrainerError:
        raise
    except Exception as error:
        raise TrackingError(f"MLflow's tracking store cannot be used: {safe_text(error)}") from None


def safe_text(error: Exception) -> str:
    """What the store says, fit for the user: a store raises whatever its libraries do, and they
    repeat its address, password and all."""
    return _CREDENTIALS.sub("//", first_line(error))
