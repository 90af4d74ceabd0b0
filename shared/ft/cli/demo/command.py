"""The command, and what it promises."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from ft import api
from ft.cli.demo.report import Outcome, exact, report
from ft.cli.demo.starter import BATCH, register
from ft.cli.demo.steps import evaluate, fine_tune, serve
from ft.cli.exits import CommandFailed
from ft.cli.session import Session
from ft.local import studio

TUNED_AT_LEAST = 0.90
BASE_BELOW = 0.10


class Phases:
    """What each part of the demo cost, in seconds."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.seconds: dict[str, float] = {}
        self._say = say

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """Times the block under that title."""
        self._say(f"== {title}")
        began = time.monotonic()
        yield
        self.seconds[title] = time.monotonic() - began


def demo(
    session: Session,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training rows.")] = 3,
    workers: Annotated[int, typer.Option(min=1, max=BATCH, help="Processes that train.")] = 1,
) -> None:
    """Fine-tune the starter model, and measure it against its base on rows it has not seen.

    Starts the studio on this machine unless another one is named; on this machine the tuned model
    is served at the end, and asked over HTTP. Fails if it is right on less than 90 % of the
    held-out rows, the base on 10 % or more, or if what is served answers in another way.
    """
    phases = Phases(session.out.say)
    if session.local:
        with phases.phase("start the studio"):
            address = studio.up(session.home, studio.SetupOptions(), wait_seconds=120.0)
            session.out.say(f"it serves at {address}")
    with phases.phase("register model, data set and prompt"):
        starter = register(session)
    with phases.phase("fine-tune"):
        tuning, adapter_id = fine_tune(session, starter, epochs, workers)
    with phases.phase("evaluate base and tuned on the same held-out rows"):
        base, tuned = evaluate(session, starter, adapter_id)
    if session.local:
        with phases.phase("serve the tuned model, and ask it over HTTP"):
            serve(session, adapter_id, tuned)
    report(session, Outcome(tuning, base, tuned, phases.seconds))
    _judge(base, tuned)


def _judge(base: api.EvaluationJobMetadata, tuned: api.EvaluationJobMetadata) -> None:
    if base.rows != tuned.rows:
        raise CommandFailed(f"{base.rows} rows for the base, but {tuned.rows} for the tuned model")
    if exact(tuned) < TUNED_AT_LEAST or exact(base) >= BASE_BELOW:
        raise CommandFailed(
            f"tuned must reach {TUNED_AT_LEAST:.0%} and base stay below {BASE_BELOW:.0%}"
        )
