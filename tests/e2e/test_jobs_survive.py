"""Real training that outlives its studio, is cancelled in the middle of a step, and goes on."""

from collections.abc import Iterator

import psutil
import pytest

from ft.api import (
    CancelFineTuningJobRequest,
    JobState,
    ListJobEventsRequest,
    ResumeFineTuningJobRequest,
)
from tests.e2e.conftest import FTS, Studio, serving
from tests.e2e.test_first_light import Registered, process_of
from tests.processes import starts_processes
from tests.support import TRAINER_PYTHON, run, until

TRAINING_SECONDS = 400.0
STOP_SECONDS = 30.0


@pytest.fixture(scope="module")
@starts_processes
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with serving(tmp_path_factory.mktemp("survive")) as studio:
        yield studio


@pytest.fixture(scope="module")
def registered(studio: Studio) -> Registered:
    return Registered(studio.client())


def test_cancelled_job_is_gone_and_can_be_resumed(studio: Studio, registered: Registered) -> None:
    client = registered.client
    job = registered.train("cancelled", num_epochs=50)
    process = until("it trains", lambda: process_of(studio, job.id), TRAINING_SECONDS)
    until("it is in its steps", lambda: registered.job(job.id).status.step, TRAINING_SECONDS)
    client.CancelFineTuningJob(CancelFineTuningJobRequest(id=job.id, reason="enough"))
    until("its process is gone", lambda: not process.is_running(), STOP_SECONDS)
    ended = client.wait_for_job(job.id, timeout=300, raise_on_failure=False)
    assert ended.status.state == JobState.STOPPED
    events = client.ListJobEvents(ListJobEventsRequest(job_id=job.id)).events
    assert [e.cause for e in events if e.state == "STOPPING"] == ["enough"]
    again = client.ResumeFineTuningJob(ResumeFineTuningJobRequest(id=job.id)).fine_tuning_job
    assert again.status.attempt == 2
    until(
        "the second attempt trains",
        lambda: registered.job(job.id).status.state == JobState.RUNNING,
        TRAINING_SECONDS,
    )
    client.CancelFineTuningJob(CancelFineTuningJobRequest(id=job.id))
    client.wait_for_job(job.id, timeout=300, raise_on_failure=False)


def test_job_outlives_the_whole_studio(studio: Studio, registered: Registered) -> None:
    job = registered.train("survivor", dataset_fraction=0.1)
    until("it trains", lambda: process_of(studio, job.id), TRAINING_SECONDS)
    supervisor = int((studio.home / "run" / "supervisord.pid").read_text())
    for pid in (supervisor, *filter(None, studio.pids().values())):
        psutil.Process(pid).kill()
    up = [
        "up",
        "--wait",
        "300",
        "--listen",
        studio.address,
        "--trainer-python",
        str(TRAINER_PYTHON),
    ]
    done = run(FTS, *up, env=studio.env)
    assert done.returncode == 0, done.stdout + done.stderr
    with studio.client() as client:
        ended = client.wait_for_job(job.id, timeout=TRAINING_SECONDS)
        assert ended.status.state == JobState.SUCCEEDED
        assert [a.name for a in client.get_adapters()].count("survivor") == 1
