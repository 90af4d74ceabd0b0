"""Following jobs until they have ended."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from statistics import fmean
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from ft import api
from ft._watch import Job, ended
from ft.cli.exits import CommandFailed, Exit
from ft.cli.output.log_text import log_lines
from ft.client import FineTuningStudioClient, StudioError
from ft.text.printable import fits, printable_line

LINE_SECONDS = 5.0
"""How often progress is told where there is no terminal to draw on."""
POLL_SECONDS = 0.5
LOG_LINES = 15
BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-:=+*#"
"""For encodings that lack the others."""


def follow(
    console: Console, watches: Mapping[str, Iterator[Job]], quiet: bool = False
) -> dict[str, Job]:
    """Shows the progress of jobs, by title, until all have ended; returns them as they ended.

    Each is watched by `client.watch_job`. Raises CommandFailed on Ctrl-C, saying that the jobs go
    on, and StudioError when the studio stays away.
    """
    jobs: dict[str, Job] = {}
    open_watches = dict(watches)
    with _display(console, quiet) as display:
        while open_watches:
            for title, watch in list(open_watches.items()):
                job = next(watch, None)
                if job is None:
                    del open_watches[title]
                    continue
                display.show(title, job.status)
                jobs[title] = job
    return jobs


def failure(client: FineTuningStudioClient, title: str, job: Job) -> CommandFailed:
    """Why a job did not succeed, with the end of its log."""
    reason = job.status.failure_reason or "no reason is known"
    lines = [f"{title} {job.status.state}: {reason}"]
    tail = log_tail(client, job.id)
    if tail:
        lines += [f"--- its log ends with (all of it: fts logs {job.id})", *tail]
    return CommandFailed("\n".join(lines))


def log_tail(client: FineTuningStudioClient, job_id: str) -> list[str]:
    """The last lines of a job's log; none where it cannot be read."""
    last = b""
    try:
        for part in client.TailLogs(api.TailLogsRequest(job_id=job_id), timeout=10):
            last = (last + part.data)[-65_536:]
    except StudioError:
        return []
    return log_lines(last)[-LOG_LINES:]


class _Display(Protocol):
    def show(self, title: str, status: api.JobStatus) -> None: ...


@contextmanager
def _display(console: Console, quiet: bool) -> Iterator[_Display]:
    try:
        if quiet:
            yield _Nothing()
        elif not console.is_terminal or console.is_dumb_terminal:
            yield _Lines(console)
        else:
            with _bars(console) as progress:
                yield _Bars(progress, console.encoding)
    except KeyboardInterrupt:
        raise CommandFailed(
            "stopped watching; the job continues. `fts jobs` shows it, `fts jobs watch ID` "
            "watches it again, `fts cancel ID` ends it",
            Exit.INTERRUPTED,
        ) from None


class _Nothing:
    def show(self, title: str, status: api.JobStatus) -> None:
        pass


class _Notices:
    """Prints the notices of jobs, once each."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: set[tuple[str, str]] = set()

    def show(self, title: str, status: api.JobStatus) -> None:
        for notice in status.notices:
            if (title, notice) not in self._told:
                self._told.add((title, notice))
                self._console.print(f"{title}  notice: {notice}", soft_wrap=True)


class _Lines:
    """Plain lines: at every change of state, and now and then in between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._notices = _Notices(console)
        self._told: dict[str, tuple[tuple[str, str], int, float]] = {}

    def show(self, title: str, status: api.JobStatus) -> None:
        state, step, at = self._told.get(title, (("", ""), 0, 0.0))
        now = (status.state, status.waits_for)
        due = status.step != step and time.monotonic() - at >= LINE_SECONDS
        if now != state or due:
            self._told[title] = (now, status.step, time.monotonic())
            parts = (title, *now, _steps(status), _loss(status), _left(status))
            self._console.print("  ".join(part for part in parts if part))
        self._notices.show(title, status)


class _Bars:
    def __init__(self, progress: Progress, encoding: str) -> None:
        self._progress = progress
        self._notices = _Notices(progress.console)
        self._encoding = encoding
        self._marks = BARS if fits(BARS, encoding) else ASCII_BARS
        self._tasks: dict[str, TaskID] = {}
        self._losses: dict[str, dict[int, float]] = {}

    def show(self, title: str, status: api.JobStatus) -> None:
        if title not in self._tasks:
            self._tasks[title] = self._progress.add_task(
                printable_line(title, self._encoding),
                total=None,
                state="",
                steps="",
                loss="",
                left="",
            )
        losses = self._losses.setdefault(title, {})
        if status.HasField("loss"):
            losses[status.step] = status.loss
        line = sparkline(list(losses.values()), marks=self._marks)
        state = " ".join(filter(None, [status.state.lower(), status.waits_for]))
        self._progress.update(
            self._tasks[title],
            total=status.total_steps or None,
            completed=status.step,
            state=printable_line(state, self._encoding),
            steps=_steps(status),
            loss=f"{_loss(status)} {line}".strip(),
            left=_left(status),
        )
        self._notices.show(title, status)


def sparkline(values: Sequence[float], width: int = 20, marks: str = BARS) -> str:
    """The values as a line of marks, which are given from low to high; the means of equal parts
    where there are more than `width` values."""
    if len(values) < 2:
        return ""
    parts = min(width, len(values))
    edges = [number * len(values) // parts for number in range(parts + 1)]
    means = [fmean(values[begin:end]) for begin, end in pairwise(edges)]
    low, high = min(means), max(means)
    # Divided first: the reverse of a very small span is more than a float can hold.
    span = (high - low) or 1.0
    return "".join(marks[round((mean - low) / span * (len(marks) - 1))] for mean in means)


def _bars(console: Console) -> Progress:
    fields = ("description", "fields[state]", "fields[steps]", "fields[loss]", "fields[left]")
    title, state, steps, loss, left = (
        TextColumn("{task." + field + "}", markup=False) for field in fields
    )
    return Progress(title, BarColumn(), state, steps, loss, left, console=console)


def _steps(status: api.JobStatus) -> str:
    return f"{status.step}/{status.total_steps}" if status.total_steps else ""


def _loss(status: api.JobStatus) -> str:
    return f"loss {status.loss:.3f}" if status.HasField("loss") else ""


def _left(status: api.JobStatus) -> str:
    if ended(status) or not status.seconds_left:
        return ""
    minutes, seconds = divmod(round(status.seconds_left), 60)
    return f"{minutes}:{seconds:02d} left"
