"""A studio whose home, and so its project, lies in a folder of an odd name."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ft.api import AddDatasetRequest, GetEvaluationJobRequest, StartEvaluationJobRequest
from ft.api import EvaluationJobModelCombination as Combination
from tests.e2e.conftest import Studio, serving
from tests.e2e.test_first_light import ENDED, TRAINING_SECONDS, Registered
from tests.processes import starts_processes
from tests.support import until

NAME = "a%20b #1 ;[x]?*=&'\"\\ {ü} 100%"


@pytest.fixture(scope="module")
@starts_processes
def odd_studio() -> Iterator[Studio]:
    folder = tempfile.mkdtemp()  # Short enough for the sockets to lie in it.
    with serving(Path(folder) / NAME) as studio:
        yield studio
    shutil.rmtree(folder)


def test_studio_works_in_a_home_with_an_odd_name(odd_studio: Studio) -> None:
    assert odd_studio.well()
    client = odd_studio.client()
    folder = odd_studio.project / "d[1]?#%20"
    folder.mkdir()
    (folder / "d*.jsonl").write_text('{"q": "x"}\n')
    location = str(Path(folder.name) / "d*.jsonl")
    added = client.AddDataset(
        AddDatasetRequest(type="project_jsonl", name="odd", location=location)
    )
    assert added.dataset.features == '["q"]'

    registered = Registered(client)
    job = registered.train("odd", dataset_fraction=0.02)
    job = until(
        "trained",
        lambda: (j := registered.job(job.id)).status.state in ENDED and j,
        TRAINING_SECONDS,
    )
    assert job.status.state == "SUCCEEDED", job.status.failure_reason
    (adapter,) = client.get_adapters()
    started = client.StartEvaluationJob(
        StartEvaluationJobRequest(
            type="mlflow",
            model_adapter_combinations=[
                Combination(base_model_id=registered.model_id, adapter_id=adapter.id)
            ],
            dataset_id=registered.dataset_id,
            prompt_id=registered.prompt_id,
            cpu=1,
            memory=2,
            eval_dataset_fraction=0.01,
        )
    )
    request = GetEvaluationJobRequest(id=started.evaluation_job.id)
    evaluated = until(
        "evaluated",
        lambda: (j := client.GetEvaluationJob(request).evaluation_job).status.state in ENDED and j,
        TRAINING_SECONDS,
    )
    assert evaluated.status.state == "SUCCEEDED", evaluated.status.failure_reason
    # Nothing lies beside the home: no part of its name was taken for something else.
    assert [one.name for one in odd_studio.home.parent.iterdir()] == [NAME]
