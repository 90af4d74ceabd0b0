"""Shows the progress of jobs until they have ended."""

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
"""Seconds between lines of progress if there is no terminal."""
POLL_SECONDS = 0.5
LOG_LINES = 15
BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-:=+*#"
"""Marks for encodings that lack those of BARS."""


def follow(
    console: Console, watches: Mapping[str, Iterator[Job]], quiet: bool = False
) -> dict[str, Job]:
    """Shows the progress of jobs until all have ended; returns them in their final state.

    `watches` has an iterator of `client.watch_job` for each title. Raises CommandFailed on Ctrl-C,
    with the remark that the jobs continue, and StudioError if the studio cannot be reached.
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
    """The error about a job that did not succeed, with the end of its log."""
    reason = job.status.failure_reason or "no reason is known"
    lines = [f"{title} {job.status.state}: {reason}"]
    tail = log_tail(client, job.id)
    if tail:
        lines += [f"--- its log ends with (`fts logs {job.id}` prints all of it)", *tail]
    return CommandFailed("\n".join(lines))


def log_tail(client: FineTuningStudioClient, job_id: str) -> list[str]:
    """The last lines of a job's log; none if it cannot be read."""
    last = b""
    try:
        for part in client.TailLogs(api.TailLogsRequest(job_id=job_id), timeout=10):
            last = (last + part.data)[-65_536:]
    except StudioError:
        return []
    return log_lines(last)[-LOG_LINES:]


class _ProgressDisplay(Protocol):
    def show(self, title: str, status: api.JobStatus) -> None: ...


@contextmanager
def _display(console: Console, quiet: bool) -> Iterator[_ProgressDisplay]:
    try:
        if quiet:
            yield _NoProgress()
        elif not console.is_terminal or console.is_dumb_terminal:
            yield _ProgressLines(console)
        else:
            fields = (
                "description",
                *(f"fields[{name}]" for name in ("state", "steps", "loss", "left")),
            )
            title, *columns = (TextColumn("{task." + one + "}", markup=False) for one in fields)
            with Progress(title, BarColumn(), *columns, console=console) as progress:
                yield _ProgressBars(progress, console.encoding)
    except KeyboardInterrupt:
        raise CommandFailed(
            "stopped watching; the job continues. `fts jobs` shows it, `fts jobs watch ID` "
            "watches it again, `fts cancel ID` ends it",
            Exit.INTERRUPTED,
        ) from None


class _NoProgress:
    """Shows nothing."""

    def show(self, title: str, status: api.JobStatus) -> None:
        pass


class _NoticePrinter:
    """Prints each notice of jobs once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: set[tuple[str, str]] = set()

    def show(self, title: str, status: api.JobStatus) -> None:
        for notice in status.notices:
            if (title, notice) not in self._shown:
                self._shown.add((title, notice))
                self._console.print(f"{title}  notice: {notice}", soft_wrap=True)


class _ProgressLines:
    """Prints lines of progress: at each change of state, and every few seconds between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._notices = _NoticePrinter(console)
        self._shown: dict[str, tuple[tuple[str, str], int, float]] = {}

    def show(self, title: str, status: api.JobStatus) -> None:
        state, step, at = self._shown.get(title, (("", ""), 0, 0.0))
        now = (status.state, status.waits_for)
        due = status.step != step and time.monotonic() - at >= LINE_SECONDS
        if now != state or due:
            self._shown[title] = (now, status.step, time.monotonic())
            parts = (title, *now, steps(status), _loss(status), _left(status))
            self._console.print("  ".join(part for part in parts if part))
        self._notices.show(title, status)


class _ProgressBars:
    """Draws a bar for each job."""

    def __init__(self, progress: Progress, encoding: str) -> None:
        self._progress = progress
        self._notices = _NoticePrinter(progress.console)
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
            steps=steps(status),
            loss=f"{_loss(status)} {line}".strip(),
            left=_left(status),
        )
        self._notices.show(title, status)


def sparkline(values: Sequence[float], width: int = 20, marks: str = BARS) -> str:
    """Draws values as a line of marks, which are given from low to high.

    If there are more than `width` values, draws the means of equal parts.
    """
    if len(values) < 2:
        return ""
    parts = min(width, len(values))
    edges = [number * len(values) // parts for number in range(parts + 1)]
    means = [fmean(values[begin:end]) for begin, end in pairwise(edges)]
    low, high = min(means), max(means)
    # Divide first: the reciprocal of a very small span exceeds the range of a float.
    span = (high - low) or 1.0
    return "".join(marks[round((mean - low) / span * (len(marks) - 1))] for mean in means)


def steps(status: api.JobStatus) -> str:
    """The step and the number of all steps, such as `3/10`; empty if it is not known."""
    return f"{status.step}/{status.total_steps}" if status.total_steps else ""


def _loss(status: api.JobStatus) -> str:
    return f"loss {status.loss:.3f}" if status.HasField("loss") else ""


def _left(status: api.JobStatus) -> str:
    if ended(status) or not status.seconds_left:
        return ""
    minutes, seconds = divmod(round(status.seconds_left), 60)
    return f"{minutes}:{seconds:02d} left"
