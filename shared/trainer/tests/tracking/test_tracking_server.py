"""Jobs that report to an MLflow server over HTTP, and to one that does not do its work."""

import base64
import json
import socket
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient

from tests.processes import starts_processes
from trainer.tests.support import Run, evaluation_flags, until

PASSWORD = "pass-word"
SHORT = {"max_steps": 2, "logging_steps": 1, "report_to": "mlflow"}


def with_password(address: str) -> str:
    return f"http://user:{PASSWORD}@{address}"


@pytest.fixture(scope="module")
@starts_processes
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address of an MLflow server, and the folder with all that it keeps and prints."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with (folder / "log").open("wb") as log:
        options = {
            "host": "127.0.0.1",
            "port": address.partition(":")[2],
            "workers": "1",
            "backend-store-uri": f"sqlite:///{folder}/mlflow.db",
            "artifacts-destination": str(folder / "artifacts"),
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *words], stdout=log, stderr=log
        )
    try:
        until(lambda: _answers(address), 120.0)
        yield address, folder
    finally:
        process.terminate()
        process.wait(300)


def _answers(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://{address}/health") as answer:
        return bool(answer.status == 200)
    return False


@pytest.fixture
def broken() -> Iterator[tuple[str, Counter[str], set[str]]]:
    """Address of a server with an error of its own in every answer; what it was asked, and who
    asked."""
    asked: Counter[str] = Counter()
    who: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked[self.path.partition("?")[0]] += 1
            who.add(self.headers.get("Authorization", ""))
            self.send_response(500)
            self.end_headers()

        do_GET = do_POST = answer  # noqa: N815 - as the library calls it

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"127.0.0.1:{serving.server_port}", asked, who
        serving.shutdown()
        thread.join()


def leaks(run: Run, *folders: Path) -> list[str]:
    """Where the password is to be found after a job."""
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    found = [str(file) for file in files if PASSWORD.encode() in file.read_bytes()]
    return found + (["output"] if PASSWORD in run.output else [])


@pytest.fixture
def tracked(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str]
) -> Callable[[str], tuple[Run, Run]]:
    """A training and an evaluation that report to the server at an address."""

    def jobs(address: str) -> tuple[Run, Run]:
        variables = {"MLFLOW_TRACKING_URI": with_password(address)}
        training = fine_tune_flags(training=SHORT, dataset_fraction=0.05)
        return (
            run_job("fine_tune.py", training, "outputs/job-1", **variables),
            run_job("evaluate.py", evaluation_flags(), "mlflow_results/eval-1", **variables),
        )

    return jobs


def test_runs_of_jobs_are_on_the_server(
    tracked: Callable[[str], tuple[Run, Run]],
    server: tuple[str, Path],
    project: Path,
    tmp_path: Path,
) -> None:
    address, folder = server

    training, evaluation = tracked(address)

    assert (training.status, evaluation.status) == (0, 0), training.output + evaluation.output
    client = MlflowClient(f"http://{address}")
    run = _only_run(client, "job-1")
    assert run.info.status == "FINISHED"
    assert float(run.data.params["learning_rate"]) == 2e-3
    losses = [one.value for one in client.get_metric_history(run.info.run_id, "loss")]
    assert losses == [event["loss"] for event in training.of("progress") if "loss" in event]
    run = _only_run(client, "Run: parent")
    [told] = evaluation.of("metrics")
    assert run.data.metrics == pytest.approx(told["metrics"])
    assert run.data.params["base_model_id"] == "model"
    name = "result_evaluation.csv"
    fetched = Path(client.download_artifacts(run.info.run_id, name, str(tmp_path)))
    assert fetched.read_bytes() == (evaluation.folder / name).read_bytes()
    assert not (project / "mlflow.db").exists()
    for job in (training, evaluation):
        assert leaks(job, project, folder) == []


def _only_run(client: MlflowClient, experiment: str) -> Any:
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    [run] = client.search_runs([found.experiment_id])
    return run


def test_failing_server_costs_no_job_its_work(
    tracked: Callable[[str], tuple[Run, Run]],
    broken: tuple[str, Counter[str], set[str]],
    project: Path,
) -> None:
    address, asked, who = broken

    training, evaluation = tracked(address)

    assert (training.status, evaluation.status) == (0, 0), training.output + evaluation.output
    assert (project / "adapters/job-1/adapter_model.safetensors").exists()
    assert (evaluation.folder / "result_evaluation.csv").exists()
    for job, begin in (
        (training, "The training is not reported to MLflow."),
        (evaluation, "The results are not in MLflow."),
    ):
        [notice] = [n["message"] for n in job.of("notice") if "MLflow" in n["message"]]
        assert notice.startswith(begin)
        assert "500" in notice
        assert leaks(job, project) == []
    # Each has asked, and then again twice.
    assert max(asked.values()) <= 6
    right = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
    assert who == {f"Basic {right}"}


def test_server_that_goes_down_costs_no_training(
    train: Callable[..., Run], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"sqlite:///{project}/own.db"
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.setenv(name, store)

    def away(*_: object, **__: object) -> None:
        raise OSError(f"{with_password('server')}/api is away")

    monkeypatch.setattr(mlflow, "log_metrics", away)

    run = train(training=SHORT, dataset_fraction=0.05)

    mlflow.end_run()
    [notice] = [n["message"] for n in run.of("notice") if "MLflow" in n["message"]]
    assert notice == "The training is not reported to MLflow any more: http://server/api is away"
    assert (project / "adapters/job-1/adapter_model.safetensors").exists()
    assert PASSWORD not in json.dumps(run.events)
