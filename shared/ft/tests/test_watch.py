"""Following jobs: what is shown of them."""

import io
from collections.abc import Iterator

import pytest

from ft import api
from ft.cli import watch
from ft.cli.console import Console

RUNNING = api.JobStatus(
    state="RUNNING", step=5, total_steps=10, loss=1.25, seconds_left=125, epoch=0.5
)
SUCCEEDED = api.JobStatus(state="SUCCEEDED", step=10, total_steps=10, loss=0.5)


def test_terminal_shows_a_bar_with_loss_and_time_left() -> None:
    screen = io.StringIO()
    console = Console(screen, force_terminal=True, width=120)
    jobs = watch.follow(console, {"a": _looks(RUNNING, SUCCEEDED), "b": _looks(SUCCEEDED)})
    shown = screen.getvalue()
    assert {title: job.status.state for title, job in jobs.items()} == {
        "a": "SUCCEEDED",
        "b": "SUCCEEDED",
    }
    assert "10/10" in shown
    assert "loss 0.500" in shown
    assert "━" in shown


def test_time_left_is_shown_while_there_is_some() -> None:
    assert watch._left(RUNNING) == "2:05 left"
    assert watch._left(SUCCEEDED) == ""
    assert watch._left(api.JobStatus(state="RUNNING")) == ""


def test_state_is_a_line_once_without_a_terminal() -> None:
    output = io.StringIO()
    watch.follow(Console(output, width=200), {"a": _looks(RUNNING, RUNNING, RUNNING, SUCCEEDED)})
    lines = output.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["RUNNING", "SUCCEEDED"]


@pytest.mark.parametrize("terminal", [False, True])
def test_notice_is_shown_once(*, terminal: bool) -> None:
    output = io.StringIO()
    notices = ["fp16 is replaced", "3 rows are left out"]
    statuses = [
        api.JobStatus(state="RUNNING", step=step, notices=notices[:count])
        for step, count in ((1, 0), (2, 1), (3, 1), (4, 2))
    ]
    ended = api.JobStatus(state="SUCCEEDED", notices=notices)
    console = Console(output, force_terminal=terminal, width=200)
    watch.follow(console, {"a": _looks(*statuses, ended)})
    shown = output.getvalue()
    assert [shown.count(f"a  notice: {notice}") for notice in notices] == [1, 1]


def test_notices_of_an_ended_job_are_shown() -> None:
    output = io.StringIO()
    ended = api.JobStatus(state="SUCCEEDED", notices=["x"], attempt=2)
    watch.follow(Console(output), {"a": _looks(ended)})
    assert "a  notice: x" in output.getvalue()


def _looks(*statuses: api.JobStatus) -> Iterator[api.FineTuningJobMetadata]:
    return (api.FineTuningJobMetadata(id="j", status=status) for status in statuses)
