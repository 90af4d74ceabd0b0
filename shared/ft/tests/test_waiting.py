"""Waiting for jobs: how they end, and what a studio that is away does to it."""

import sys
import time
from typing import Any

import grpc
import pytest

from ft import _calls, _watch, api
from ft.client import JobFailedError, NotFoundError, UnavailableError, UnimplementedError

pytestmark = pytest.mark.slow

RUNNING = api.JobStatus(state="RUNNING", step=1)
SUCCEEDED = api.JobStatus(state="SUCCEEDED", step=2)
FAILED = api.JobStatus(state="FAILED", failure_reason="Out of memory.")
POLL = 0.01


def start(client: Any, studio: Any, *statuses: api.JobStatus) -> str:
    """A fine-tuning job with these states, one at each look."""
    studio.statuses = list(statuses)
    request = api.StartFineTuningJobRequest(adapter_name="a")
    return str(client.StartFineTuningJob(request).fine_tuning_job.id)


def test_wait_returns_the_job_as_it_ended(client: Any, studio: Any) -> None:
    id = start(client, studio, RUNNING, RUNNING, SUCCEEDED)
    job = client.wait_for_job(id, poll=POLL)
    assert isinstance(job, api.FineTuningJobMetadata)
    assert (job.id, job.status) == (id, SUCCEEDED)
    assert studio.calls["GetFineTuningJob"] == 3


def test_wait_finds_jobs_of_every_kind(client: Any, studio: Any) -> None:
    studio.statuses = [RUNNING, SUCCEEDED]
    pair = api.EvaluationJobModelCombination(base_model_id="m")
    request = api.StartEvaluationJobRequest(model_adapter_combinations=[pair])
    id = client.StartEvaluationJob(request).evaluation_job.id
    job = client.wait_for_job(id, poll=POLL)
    assert isinstance(job, api.EvaluationJobMetadata)
    assert job.status == SUCCEEDED
    assert studio.calls["GetFineTuningJob"] == 1, "its kind is known by then"
    assert client.get_job(id).id == id
    for call in (client.get_job, client.wait_for_job):
        with pytest.raises(NotFoundError, match="no job has the id 'nope'"):
            call("nope")


def test_job_that_fails_says_why(client: Any, studio: Any) -> None:
    id = start(client, studio, RUNNING, FAILED)
    with pytest.raises(
        JobFailedError, match=f"job {id} has ended FAILED: Out of memory."
    ) as caught:
        client.wait_for_job(id, poll=POLL)
    error = caught.value
    assert (error.state, error.failure_reason, error.job.id) == ("FAILED", "Out of memory.", id)
    assert client.wait_for_job(id, raise_on_failure=False).status == FAILED


@pytest.mark.parametrize("state", [s for s in api.JobState if s.ended and s != "SUCCEEDED"])
def test_ends_other_than_success_are_failures(client: Any, studio: Any, state: str) -> None:
    id = start(client, studio, api.JobStatus(state=state))
    with pytest.raises(JobFailedError) as caught:
        client.wait_for_job(id, poll=POLL)
    assert caught.value.state == state


def test_unknown_state_is_no_end(client: Any, studio: Any) -> None:
    id = start(client, studio, api.JobStatus(state="PREEMPTED"), SUCCEEDED)
    assert client.wait_for_job(id, poll=POLL).status == SUCCEEDED


def test_watch_reports_every_poll(client: Any, studio: Any) -> None:
    id = start(client, studio, RUNNING, RUNNING, FAILED)
    seen = [job.status.state for job in client.watch_job(id, poll=POLL)]
    assert seen == ["RUNNING", "RUNNING", "FAILED"]


def test_polls_are_an_interval_apart(client: Any, studio: Any) -> None:
    id = start(client, studio, RUNNING, RUNNING, SUCCEEDED)
    began = time.monotonic()
    client.wait_for_job(id, poll=0.2)
    assert time.monotonic() - began >= 0.4


@pytest.mark.parametrize("timeout", [0, 0.3])
def test_wait_times_out(client: Any, studio: Any, timeout: float) -> None:
    id = start(client, studio, RUNNING)
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=f"{id} has not ended within {timeout} s: it is RUNNING"):
        client.wait_for_job(id, timeout, poll=0.1)
    assert time.monotonic() - began >= timeout
    studio.statuses = [SUCCEEDED]
    assert client.wait_for_job(id, timeout).status == SUCCEEDED


def test_wait_times_out_while_the_studio_is_down(
    client: Any, studio: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_calls, "CONNECT_SECONDS", 0.1)
    id = start(client, studio, RUNNING)
    server.stop()
    with pytest.raises(TimeoutError, match="it is not seen yet"):
        client.wait_for_job(id, 0.5, poll=POLL)


def test_studio_that_is_down_for_a_while_is_waited_for(
    client: Any, studio: Any, server: Any
) -> None:
    id = start(client, studio, RUNNING, RUNNING, SUCCEEDED)
    looks = client.watch_job(id, poll=POLL)
    assert next(looks).status == RUNNING
    server.stop()
    timer = server.start_later(1.0)
    assert [look.status.state for look in looks] == ["RUNNING", "SUCCEEDED"]
    timer.join()


@pytest.mark.parametrize("code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"])
def test_domain_that_is_down_for_a_while_is_waited_for(client: Any, studio: Any, code: str) -> None:
    id = start(client, studio, RUNNING, SUCCEEDED)

    def away_twice(method: str, context: grpc.ServicerContext) -> None:
        if 1 < studio.calls[method] < 4:
            refuse = sys.modules[studio.__module__].refuse
            refuse(context, grpc.StatusCode[code], "away", "AWAY")

    studio.before = away_twice
    assert client.wait_for_job(id, poll=POLL).status == SUCCEEDED


def test_studio_that_stays_down_ends_the_wait(
    client: Any, studio: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_calls, "CONNECT_SECONDS", 0.1)
    monkeypatch.setattr(_watch, "AWAY_SECONDS", 0.5)
    id = start(client, studio, RUNNING)
    server.stop()
    with pytest.raises(UnavailableError, match="no studio answers"):
        client.wait_for_job(id, poll=POLL)


def test_removed_job_ends_the_wait(client: Any, studio: Any) -> None:
    id = start(client, studio, RUNNING)
    looks = client.watch_job(id, poll=POLL)
    next(looks)
    client.RemoveFineTuningJob(api.RemoveFineTuningJobRequest(id=id))
    with pytest.raises(NotFoundError):
        next(looks)


def test_studio_that_keeps_no_states_is_not_waited_for(client: Any, studio: Any) -> None:
    id = start(client, studio, api.JobStatus())
    with pytest.raises(UnimplementedError, match="keeps no states of jobs"):
        client.wait_for_job(id)
