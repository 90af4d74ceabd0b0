"""The usage example that users know runs as printed, against a studio that knows its ids."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from chassis.testing.hub import Repo, hub
from ft.api import ImportDatabaseRequest, RemoveFineTuningJobRequest
from tests.e2e.conftest import Studio, serving
from tests.support import run

pytestmark = pytest.mark.starts_processes

EXAMPLE = Path(__file__).parent / "usage_example.py"
COLUMNS = ("instruction", "input", "output", "text")
CARD = "\n".join(
    [
        "---",
        "dataset_info:",
        "  features:",
        *(f"  - name: {column}\n    dtype: string" for column in COLUMNS),
        "---",
    ]
)
ALPACA = Repo("dataset", "tatsu-lab/alpaca", {"README.md": CARD.encode(), "train.jsonl": b"{}\n"})
KNOWN = {
    "models": [{"id": "model-uuid", "type": "project", "name": "m", "location": "m"}],
    "datasets": [{"id": "dataset-uuid", "type": "project_csv", "name": "d", "features": '["a"]'}],
    "prompts": [
        {
            "id": "prompt-uuid",
            "type": "in_place",
            "name": "p",
            "dataset_id": "dataset-uuid",
            "prompt_template": "{a}",
            "input_template": "{a}",
            "completion_template": "{a}",
        }
    ],
}


@contextmanager
def studio_that_knows(tmp_path: Path, **variables: str) -> Iterator[Studio]:
    with ExitStack() as stack:
        online = stack.enter_context(hub(ALPACA)).environment(str(tmp_path / "hf"))
        studio = stack.enter_context(serving(tmp_path / "home", **online, **variables))
        export = {table: {"schema": "", "data": rows} for table, rows in KNOWN.items()}
        (studio.project / "known.json").write_text(json.dumps(export))
        with studio.client() as client:
            client.ImportDatabase(ImportDatabaseRequest(imported_json_path="known.json"))
        yield studio


def example(studio: Studio) -> "subprocess.CompletedProcess[str]":
    ip, _, port = studio.address.rpartition(":")
    where = {"FINE_TUNING_SERVICE_IP": ip, "FINE_TUNING_SERVICE_PORT": port}
    return run(sys.executable, str(EXAMPLE), env={**studio.env, **where})


def test_usage_example_runs_as_printed(tmp_path: Path) -> None:
    there = {"FTS_WORKBENCH_GPUS": "1", "FTS_WORKBENCH_MEMORY_GIB": "16"}
    with studio_that_knows(tmp_path, **there, FTS_WORKBENCH_CPU="2") as studio:
        done = example(studio)
        assert done.returncode == 0, done.stderr
        is_started(studio)


def test_usage_example_is_refused_in_words_without_a_gpu(tmp_path: Path) -> None:
    there = {"FTS_WORKBENCH_GPUS": "0", "FTS_WORKBENCH_MEMORY_GIB": "8"}
    with studio_that_knows(tmp_path, **there, FTS_WORKBENCH_CPU="2") as studio:
        done = example(studio)
        assert done.returncode != 0
        for said in ("1 GPU requested", "at most 0", "16 GiB requested", "at most 8"):
            assert said in done.stderr
        with studio.client() as client:
            assert client.get_fine_tuning_jobs() == []


def is_started(studio: Studio) -> None:
    with studio.client() as client:
        (added,) = (d for d in client.get_datasets() if d.huggingface_name == "tatsu-lab/alpaca")
        assert added.name == "tatsu-lab/alpaca"
        assert tuple(json.loads(added.features)) == COLUMNS
        (job,) = client.get_fine_tuning_jobs()
        assert (job.num_cpu, job.num_gpu, job.num_memory) == (2, 1, 16)
        assert (job.num_workers, job.num_epochs) == (1, 1)
        assert job.learning_rate == pytest.approx(2e-4)
        assert job.dataset_fraction == 1.0
        assert job.train_test_split == pytest.approx(0.9)
        assert job.status.state in ("SCHEDULED", "RUNNING")
        client.RemoveFineTuningJob(RemoveFineTuningJobRequest(id=job.id))
