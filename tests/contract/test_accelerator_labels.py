"""Accelerator labels are numbers by the wire, as clients expect that call int() on them."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.workspace import PROJECT, Workspace, running
from tests.processes import starts_processes

MODELS = f"{PROJECT}/models"


@pytest.fixture(scope="module")
@starts_processes
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("machine")
    with running(
        folder / "home", PATH=nvidia(folder, "NVIDIA B", "NVIDIA A 80GB", "NVIDIA B")
    ) as w:
        yield w


def nvidia(folder: Path, *kinds: str) -> str:
    """A PATH whose `nvidia-smi` names GPUs of these kinds."""
    lines = "\n".join(f"echo '{index}, {kind}'" for index, kind in enumerate(kinds))
    command = folder / "bin/nvidia-smi"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(f"#!/bin/sh\n{lines}\n")
    command.chmod(0o755)
    return f"{command.parent}:{os.environ['PATH']}"


def labels(workspace: Workspace) -> dict[int, str]:
    found = workspace.get("/api/v2/nodelabels")["accelerator_node_label"]
    return {int(one["id"]): one["label_value"] for one in found}


def test_labels_have_numbers_and_readable_values(workspace: Workspace) -> None:
    assert labels(workspace) == {1: "NVIDIA A 80GB", 2: "NVIDIA B"}
    found = workspace.get("/api/v2/nodelabels")["accelerator_node_label"]
    assert [int(one["max_gpu_per_workload"]) for one in found] == [1, 1]  # FTS_WORKBENCH_GPUS=2
    assert {one["label_key"] for one in found} == {"nvidia.com/gpu.product"}
    assert all(one["availability"] for one in found)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (2, "2"),
        ("2", "2"),
        (1, "1"),
        (" 1 ", "1"),
        ("NVIDIA B", "2"),
        ("nvidia-b", "2"),  # what an older workbench called it
        ("nvidia-a-80gb", "1"),
        (-1, "-1"),
        ("-1", "-1"),
        (0, "-1"),
        ("0", "-1"),
        ("", "-1"),
        (None, "-1"),
    ],
)
def test_label_is_requested_by_number_or_text(
    workspace: Workspace, given: object, shown: str
) -> None:
    job = workspace.make_job(accelerator_label_id=given)
    assert job["accelerator_label_id"] == shown
    path = f"{PROJECT}/jobs/{job['id']}"
    assert workspace.get(path)["accelerator_label_id"] == shown
    assert workspace.call("PATCH", path, {"accelerator_label_id": 1})[0] == 200
    status, changed = workspace.call("PATCH", path, {"accelerator_label_id": given})
    assert status == 200
    assert changed["accelerator_label_id"] == (shown if given is not None else "1")
    status, model = workspace.call("POST", MODELS, {"name": "m", "accelerator_label_id": given})
    assert (status, model["accelerator_label_id"]) == (200, shown)


@pytest.mark.parametrize("given", [3, "3", "gpu", "NVIDIA C", -2, "1.0", "१", 10**30])
def test_unknown_label_is_refused_by_name(workspace: Workspace, given: object) -> None:
    job = workspace.make_job()
    model = workspace.call("POST", MODELS, {"name": "m"})[1]
    body = {"name": "job", "script": "s.py", "accelerator_label_id": given}
    for method, path in (
        ("POST", f"{PROJECT}/jobs"),
        ("PATCH", f"{PROJECT}/jobs/{job['id']}"),
        ("POST", MODELS),
        ("PATCH", f"{MODELS}/{model['id']}"),
    ):
        status, refusal = workspace.call(method, path, body)
        assert (status, refusal["code"]) == (400, 3)
        assert refusal["message"].startswith("accelerator_label_id: ")
        assert str(given) in refusal["message"]
        assert "1 (NVIDIA A 80GB), 2 (NVIDIA B)" in refusal["message"]


def test_job_gets_the_gpu_of_its_label(workspace: Workspace) -> None:
    script = "import os; open('granted', 'a').write(os.environ['CUDA_VISIBLE_DEVICES'] + ' ')"
    (workspace.project / "show.py").write_text(script)
    for label, index in ((1, "1"), ("2", "0")):
        job = workspace.make_job(script="show.py", nvidia_gpu=1, accelerator_label_id=label)
        assert workspace.run(job) == "ENGINE_SUCCEEDED"
        assert (workspace.project / "granted").read_text().split()[-1] == index


@pytest.mark.starts_processes
def test_workbench_takes_over_the_state_of_an_older_one(tmp_path: Path) -> None:
    """Its labels were words, and so was what its jobs, runs and models asked for."""
    kinds = ("NVIDIA B", "NVIDIA A")
    workspace = Workspace(tmp_path / "home", PATH=nvidia(tmp_path, *kinds))
    with workspace.serving():
        script = "import os; open('granted', 'w').write(os.environ['CUDA_VISIBLE_DEVICES'])"
        (workspace.project / "show.py").write_text(script)
        job = workspace.make_job(script="show.py", nvidia_gpu=1)
        model = workspace.call("POST", MODELS, {"name": "m"})[1]
        foreign = workspace.make_job()
    with sqlite3.connect(workspace.home / "workbench.db") as database:
        database.execute("UPDATE accelerators SET id = replace(lower(label_value), ' ', '-')")
        for table, word, row in (
            ("jobs", "nvidia-b", job),
            ("models", "nvidia-a", model),
            ("jobs", "gone-kind", foreign),
        ):
            change = f"UPDATE {table} SET accelerator_label_id = ? WHERE id = ?"
            database.execute(change, [word, row["id"]])
    with workspace.serving():
        assert labels(workspace) == {1: "NVIDIA A", 2: "NVIDIA B"}
        assert workspace.get(f"{PROJECT}/jobs/{job['id']}")["accelerator_label_id"] == "2"
        assert workspace.get(f"{MODELS}/{model['id']}")["accelerator_label_id"] == "1"
        assert workspace.run(job) == "ENGINE_SUCCEEDED"
        assert (workspace.project / "granted").read_text() == "0"
        # A kind that this machine never had: the job is kept as it was, and can be written back.
        path = f"{PROJECT}/jobs/{foreign['id']}"
        kept = workspace.get(path)["accelerator_label_id"]
        assert workspace.call("PATCH", path, {"accelerator_label_id": kept})[0] == 200


@pytest.mark.starts_processes
def test_label_keeps_its_number_while_others_come_and_go(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "home", PATH=nvidia(tmp_path, "NVIDIA B"))
    workspace.variables["FTS_WORKBENCH_GPUS"] = "1"
    with workspace.serving():
        assert labels(workspace) == {1: "NVIDIA B"}
        job = workspace.make_job(accelerator_label_id=1)
    nvidia(tmp_path, "NVIDIA A", "NVIDIA C")
    workspace.variables["FTS_WORKBENCH_GPUS"] = "2"
    with workspace.serving():
        found = workspace.get("/api/v2/nodelabels")["accelerator_node_label"]
        assert [(one["id"], one["label_value"], one["availability"]) for one in found] == [
            ("1", "NVIDIA B", False),
            ("2", "NVIDIA A", True),
            ("3", "NVIDIA C", True),
        ]
        assert workspace.get(f"{PROJECT}/jobs/{job['id']}")["accelerator_label_id"] == "1"
        body = {"name": "n", "script": "s.py", "accelerator_label_id": 1}
        status, refusal = workspace.call("POST", f"{PROJECT}/jobs", body)
        assert status == 400
        assert "existing labels: 2 (NVIDIA A), 3 (NVIDIA C)" in refusal["message"]
