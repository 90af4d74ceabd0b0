"""Secrets come to a job by its environment, and are nowhere else."""

import json
from collections.abc import Iterator

import psutil
import pytest

import cmlapi
from ft.api import (
    ExportDatabaseRequest,
    FineTuningJobMetadata,
    GetFineTuningJobRequest,
    ListFineTuningJobsRequest,
    ListJobEventsRequest,
    ReportJobEventsRequest,
    TailLogsRequest,
)
from ft.client import FineTuningStudioClient, UnauthenticatedError
from jobs.testing import PROJECT_ID
from tests.e2e.conftest import Studio, serving
from tests.e2e.test_first_light import TRAINING_SECONDS, Registered, process_of
from tests.processes import starts_processes
from tests.support import until

# Not of the look by which logs know a token of the hub.
HUB_TOKEN = "planted-9876543210-token"
PLATFORM = ("workbench.db", "workbench.db-wal", "workbench.db-shm")
"""Files in which the workspace keeps the environments of its jobs, and nothing of the studio."""


@pytest.fixture(scope="module")
@starts_processes
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    told = {"HUGGINGFACE_ACCESS_TOKEN": HUB_TOKEN, "FTS_LOG_LEVEL": "debug"}
    with serving(tmp_path_factory.mktemp("secrets") / "home", **told) as studio:
        yield studio


def test_secrets_are_only_in_the_environment_of_a_job(studio: Studio) -> None:
    with studio.client() as client:
        job = Registered(client).train("secretive", dataset_fraction=0.02, num_epochs=1)
        process = until("it trains", lambda: process_of(studio, job.id), TRAINING_SECONDS)
        commands = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
        arguments = process.environ()["JOB_ARGUMENTS"]
        report = ReportJobEventsRequest(job_id=job.id, token=process.environ()["FTS_JOB_TOKEN"])
        assert client.ReportJobEvents(report).next_offset >= 0
        client.wait_for_job(job.id, timeout=TRAINING_SECONDS)
        with pytest.raises(UnauthenticatedError):
            client.ReportJobEvents(report)
        said = [arguments, *commands, *answers(client, job)]
    environment = environment_of(studio, job)
    assert environment["HUGGINGFACE_ACCESS_TOKEN"] == HUB_TOKEN
    assert environment["FTS_JOB_TOKEN"] == report.token
    assert environment["FTS_JOB_KIND"] == "fine_tuning"
    written = [file for file in studio.home.parent.rglob("*") if file.is_file()]
    contents = [file.read_bytes() for file in written if file.name not in PLATFORM]
    for token in (HUB_TOKEN, report.token):
        assert not [one for one in said if token in one]
        assert not [one for one in contents if token.encode() in one]


def answers(client: FineTuningStudioClient, job: FineTuningJobMetadata) -> Iterator[str]:
    """All that the studio says of a job: record, lists, history, log, export."""
    yield str(client.GetFineTuningJob(GetFineTuningJobRequest(id=job.id)))
    yield str(client.ListFineTuningJobs(ListFineTuningJobsRequest()))
    yield str(client.ListJobEvents(ListJobEventsRequest(job_id=job.id)))
    log = client.TailLogs(TailLogsRequest(job_id=job.id))
    yield b"".join(part.data for part in log).decode(errors="replace")
    exported = client.ExportDatabase(ExportDatabaseRequest()).exported_json
    [row] = json.loads(exported)["fine_tuning_jobs"]["data"]
    assert not {"token_hash", "reported_offset"} & row.keys()
    yield exported


def environment_of(studio: Studio, job: FineTuningJobMetadata) -> dict[str, str]:
    """The environment of the job's run, as the workspace has it."""
    key = (studio.home / "workbench.key").read_text().strip()
    api = cmlapi.default_client((studio.home / "workbench.url").read_text(), key)
    [run] = api.list_job_runs(PROJECT_ID, job.cml_job_id).job_runs
    environment: dict[str, str] = json.loads(run.environment)
    return environment
