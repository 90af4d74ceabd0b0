"""What jobs report to MLflow is shown by the workspace's API, as existing pages ask for it."""

import json
import math
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.workspace import PROJECT, Workspace, running
from tests.processes import starts_processes
from tests.support import TRAINER_PYTHON, environment

EXPERIMENTS = f"{PROJECT}/experiments"
# As a job reports: through the trainer's own connection to the store of its project.
REPORT = """
import sys, time
from pathlib import Path
from trainer.tracking import runs
project = Path(sys.argv[1])
for name in ("job-1", "job-2", "job 3 50% of a/b"):
    id = runs.open_experiment(name, project)
    import mlflow
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag
    client = MlflowClient()
    for number in range(3):
        run = client.create_run(id, run_name=f"run-{number}", start_time=1_700_000_000_000 + number,
                                tags={"mlflow.user": "mia"}).info.run_id
        values = [Metric("loss", 4.0 - step, 1_700_000_000_000 + step, step) for step in range(3)]
        values += [Metric("eval/loss", 0.5, 1_700_000_000_000, 2)]
        values += [Metric("rouge/v1", float("nan"), 1_700_000_000_000, 0)]
        client.log_batch(run, values, [Param("lr", "1e-3")], [RunTag("note", "x")])
        if number == 0:
            client.log_text(run, "rows", "rows.csv")
            client.set_terminated(run)
        if number == 1:
            client.set_terminated(run, "FAILED")
    deleted = client.create_run(id).info.run_id
    client.delete_run(deleted)
client.delete_experiment(client.create_experiment("deleted"))
"""


@pytest.fixture(scope="module")
@starts_processes
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    home = tmp_path_factory.mktemp("home with 50% #1")
    with running(home) as found:
        subprocess.run(
            [TRAINER_PYTHON, "-c", textwrap.dedent(REPORT), str(found.project)],
            env=environment(home, MLFLOW_ENABLE_TELEMETRY="false"),
            cwd=found.project,
            check=True,
        )
        yield found


@pytest.fixture(scope="module")
def runs(workspace: Workspace) -> str:
    """The address of the runs of the first job's experiment."""
    wanted = json.dumps({"name": "job-1"})
    [found] = workspace.get(EXPERIMENTS, search_filter=wanted)["experiments"]
    return f"{EXPERIMENTS}/{found['id']}/runs"


def test_experiments_are_listed_in_pages_and_found_by_name(workspace: Workspace) -> None:
    names, token = [], ""
    while True:
        page = workspace.get(EXPERIMENTS, page_size=1, page_token=token)
        names += [one["name"] for one in page["experiments"]]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert names == ["Default", "job-1", "job-2", "job 3 50% of a/b"]
    back = workspace.get(EXPERIMENTS, sort="-created_at,-id")["experiments"]
    assert back[0]["name"] == "job 3 50% of a/b"
    wanted = json.dumps({"name": "job 3 50% of a/b"})
    [found] = workspace.get(EXPERIMENTS, search_filter=wanted)["experiments"]
    assert found["project_id"] == "local"
    assert found["lifecycle_stage"] == "active"
    assert found["created_at"].startswith("20")
    assert workspace.get(f"{EXPERIMENTS}/{found['id']}") == found
    for query in ({"search_filter": '{"colour": 1}'}, {"sort": "colour"}):
        status, refusal = workspace.call("GET", EXPERIMENTS, **query)
        assert status == 400
        assert "'colour'" in refusal["message"]


def test_run_reports_its_state_and_what_it_logged(workspace: Workspace, runs: str) -> None:
    listed = workspace.get(runs)["experiment_runs"]
    assert [run["status"] for run in listed] == [
        "EXPERIMENT_RUN_FINISHED",
        "EXPERIMENT_RUN_FAILED",
        "EXPERIMENT_RUN_RUNNING",
    ]
    run = listed[0]
    assert run == workspace.get(f"{runs}/{run['id']}")
    assert run["experiment_id"] == runs.split("/")[-2]
    assert run["start_time"].startswith("2023-11-14T22:13:20")
    assert run["end_time"] > run["start_time"]
    assert "end_time" not in listed[2]
    latest = {metric["key"]: metric for metric in run["data"]["metrics"]}
    assert (latest["loss"]["value"], int(latest["loss"]["step"])) == (2.0, 2)
    assert latest["rouge/v1"]["value"] == "NaN"
    assert {"key": "lr", "value": "1e-3"} in run["data"]["params"]
    assert {"key": "note", "value": "x"} in run["data"]["tags"]
    assert run["data"]["files"] == [{"path": "rows.csv", "is_dir": False, "file_size": "4"}]
    assert run["data"]["registered_model_metadata"] == []


@pytest.mark.parametrize(("key", "count"), [("loss", 3), ("eval/loss", 1), ("never logged", 0)])
def test_metric_has_all_its_values(workspace: Workspace, runs: str, key: str, count: int) -> None:
    run = workspace.get(runs)["experiment_runs"][0]["id"]
    for written in (key.replace("/", "%2F"), key):
        path = f"{runs}/{run}/metrics/{written.replace(' ', '%20')}"
        found = workspace.get(path)["metrics"]
        assert [int(metric["step"]) for metric in found] == [0, 1, 2][-count or 3 :]
        assert {metric["key"] for metric in found} <= {key}
    if key == "loss":
        assert [metric["value"] for metric in found] == [4.0, 3.0, 2.0]


def test_client_reads_experiments_as_its_models(workspace: Workspace, runs: str) -> None:
    import cmlapi

    api = cmlapi.default_client(workspace.url, workspace.key)
    experiment = runs.split("/")[-2]
    run = (api.list_experiment_runs("local", experiment).experiment_runs or [])[0]
    assert run.data is not None
    values = {metric.key: metric.value for metric in run.data.metrics or []}
    assert math.isnan(values["rouge/v1"] or 0)
    metrics = api.get_experiment_run_metrics("local", experiment, run.id or "", "eval/loss").metrics
    assert [metric.value for metric in metrics or []] == [0.5]


@pytest.mark.parametrize("key", ["created_at", "name", "start_time", "creator.email"])
def test_runs_are_ordered_by_documented_keys(workspace: Workspace, runs: str, key: str) -> None:
    names = [f"run-{number}" for number in range(3)]

    def ordered(sort: str) -> list[str]:
        first = workspace.get(runs, sort=sort, page_size=2)
        token = first["next_page_token"]
        rest = workspace.get(runs, sort=sort, page_token=token)
        return [_name(run) for run in first["experiment_runs"] + rest["experiment_runs"]]

    assert ordered(key) == names
    assert ordered(f"-{key}") == (names if "email" in key else names[::-1])


def _name(run: dict[str, Any]) -> str:
    [name] = [tag["value"] for tag in run["data"]["tags"] if tag["key"] == "mlflow.runName"]
    return str(name)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"status": "EXPERIMENT_RUN_FINISHED"}, 1),
        ({"status": "EXPERIMENT_RUN_KILLED"}, 0),
        ({"name": "run-1"}, 1),
        ({"name": "run-2", "status": "EXPERIMENT_RUN_RUNNING"}, 1),
        ({"creator.email": "a@b.c"}, 0),
        ({"creator.username": "nobody"}, 0),
    ],
)
def test_runs_are_filtered_by_documented_keys(
    workspace: Workspace, runs: str, wanted: dict[str, str], count: int
) -> None:
    found = workspace.get(runs, search_filter=json.dumps(wanted))["experiment_runs"]
    assert len(found) == count


def test_unknown_experiment_or_run_is_refused(workspace: Workspace, runs: str) -> None:
    run = workspace.get(runs)["experiment_runs"][0]["id"]
    for path in (
        f"{EXPERIMENTS}/999",
        f"{EXPERIMENTS}/none",
        f"{EXPERIMENTS}/999/runs",
        f"{runs}/none",
        f"{EXPERIMENTS}/0/runs/{run}",
        f"{runs}/none/metrics/loss",
    ):
        status, refusal = workspace.call("GET", path)
        assert (status, refusal["code"]) == (404, 5)


def test_tracking_store_is_only_read(workspace: Workspace, runs: str) -> None:
    store = workspace.project / "mlflow.db"
    before = store.read_bytes()
    workspace.get(runs)
    assert store.read_bytes() == before


@pytest.mark.starts_processes
@pytest.mark.parametrize("content", [b"", b"no database at all, and long enough to be one" * 99])
def test_broken_tracking_store_is_reported(tmp_path: Path, content: bytes) -> None:
    with running(tmp_path) as workspace:
        (workspace.project / "mlflow.db").write_bytes(content)
        status, answer = workspace.call("GET", EXPERIMENTS)
        if content:
            assert (status, answer["code"]) == (400, 9)
            assert "mlflow.db" in answer["message"]
        else:  # MLflow has only begun to make it
            assert (status, answer["experiments"]) == (200, [])
        other = {"environment": json.dumps({"MLFLOW_TRACKING_URI": "http://u:secret@host:1"})}
        workspace.call("PATCH", PROJECT, other)
        status, refusal = workspace.call("GET", EXPERIMENTS)
        assert (status, refusal["code"]) == (400, 9)
        assert "MLFLOW_TRACKING_URI" in refusal["message"]
        assert "secret" not in refusal["message"]
