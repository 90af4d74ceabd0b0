"""The usage example that users know runs as printed, against a studio that knows its ids."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from chassis.testing_hub import Repo, hub
from ft.api import ImportDatabaseRequest, RemoveFineTuningJobRequest
from tests.e2e.conftest import Studio, serving
from tests.support import run

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


@pytest.fixture
def studio_that_knows(tmp_path: Path) -> Iterator[Studio]:
    with ExitStack() as stack:
        online = stack.enter_context(hub(ALPACA)).environment(str(tmp_path / "hf"))
        studio = stack.enter_context(serving(tmp_path / "home", **online))
        export = {table: {"schema": "", "data": rows} for table, rows in KNOWN.items()}
        (studio.project / "known.json").write_text(json.dumps(export))
        with studio.client() as client:
            client.ImportDatabase(ImportDatabaseRequest(imported_json_path="known.json"))
        yield studio


def test_runs_as_printed(studio_that_knows: Studio) -> None:
    ip, _, port = studio_that_knows.address.rpartition(":")
    where = {"FINE_TUNING_SERVICE_IP": ip, "FINE_TUNING_SERVICE_PORT": port}
    done = run(sys.executable, str(EXAMPLE), env={**studio_that_knows.env, **where})
    assert done.returncode == 0, done.stderr

    with studio_that_knows.client() as client:
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
