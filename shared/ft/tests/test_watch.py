"""Following jobs: what a terminal shows, and what a studio that is away does to it."""

import io
from typing import Any

import grpc
import pytest
from rich.console import Console

from ft import api
from ft.cli import watch
from ft.client import StudioError

RUNNING = api.JobStatus(
    state="RUNNING", step=5, total_steps=10, loss=1.25, seconds_left=125, epoch=0.5
)
SUCCEEDED = api.JobStatus(state="SUCCEEDED", step=10, total_steps=10, loss=0.5)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.01)


def _job(*answers: api.JobStatus | StudioError) -> Any:
    rest = iter(answers)

    def fetch() -> api.FineTuningJobMetadata:
        answer = next(rest)
        if isinstance(answer, StudioError):
            raise answer
        return api.FineTuningJobMetadata(id="j", status=answer)

    return fetch


def test_a_terminal_shows_a_bar_with_loss_and_time_left() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    jobs = watch.follow(console, {"a": _job(RUNNING, SUCCEEDED), "b": _job(SUCCEEDED)})
    shown = screen.getvalue()
    assert {title: job.status.state for title, job in jobs.items()} == {
        "a": "SUCCEEDED",
        "b": "SUCCEEDED",
    }
    assert "10/10" in shown
    assert "loss 0.500" in shown
    assert "━" in shown


def test_time_left_is_told_while_there_is_some() -> None:
    assert watch._left(RUNNING) == "2:05 left"
    assert watch._left(SUCCEEDED) == ""
    assert watch._left(api.JobStatus(state="RUNNING")) == ""


def test_a_studio_that_is_away_for_a_while_does_not_end_the_watch() -> None:
    away = StudioError("away", code=grpc.StatusCode.UNAVAILABLE)
    (job,) = watch.follow(_plain(), {"a": _job(RUNNING, away, away, SUCCEEDED)}).values()
    assert job.status.state == "SUCCEEDED"


def test_a_studio_that_stays_away_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "AWAY_SECONDS", 0.0)
    away = StudioError("away", code=grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(StudioError, match="away"):
        watch.follow(_plain(), {"a": _job(away, away, away)})


def test_a_job_that_is_gone_ends_the_watch_at_once() -> None:
    gone = StudioError("job 'j' not found", code=grpc.StatusCode.NOT_FOUND)
    with pytest.raises(StudioError, match="not found"):
        watch.follow(_plain(), {"a": _job(RUNNING, gone)})


def test_without_a_terminal_a_line_tells_each_state_once() -> None:
    output = io.StringIO()
    watch.follow(Console(file=output, width=200), {"a": _job(RUNNING, RUNNING, RUNNING, SUCCEEDED)})
    lines = output.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["RUNNING", "SUCCEEDED"]


def _plain() -> Console:
    return Console(file=io.StringIO(), width=200)
