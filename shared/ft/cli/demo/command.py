"""The command `fts demo`, with the scores that it must reach."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from ft.cli.demo.report import DemoResult, exact_match, report
from ft.cli.demo.starter import BATCH, register
from ft.cli.demo.steps import evaluate, fine_tune, serve
from ft.cli.exits import CommandFailed
from ft.cli.session import Session
from ft.local import studio

TUNED_AT_LEAST = 0.90
BASE_BELOW = 0.10


class PhaseTimer:
    """Times of the phases of the demo, in seconds."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.seconds: dict[str, float] = {}
        self._say = say

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """Measures the time of the block."""
        self._say(f"== {title}")
        began = time.monotonic()
        yield
        self.seconds[title] = time.monotonic() - began


def demo(
    session: Session,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training rows.")] = 3,
    workers: Annotated[int, typer.Option(min=1, max=BATCH, help="Number of worker processes.")] = 1,
) -> None:
    """Fine-tune the starter model, and compare it with its base model on held-out rows.

    Starts the studio on this machine unless you name another one. On this machine, the demo also
    serves the tuned model and asks it over HTTP. The demo fails if the tuned model answers less
    than 90 % of the held-out rows correctly, if the base model answers 10 % or more, or if the
    served model gives other answers than the evaluation.
    """
    phases = PhaseTimer(session.out.say)
    if session.local:
        with phases.phase("start the studio"):
            address = studio.up(session.home, studio.SetupOptions(), wait_seconds=120.0)
            session.out.say(f"the studio serves at {address}")
    with phases.phase("register model, dataset and prompt"):
        starter = register(session)
    with phases.phase("fine-tune"):
        tuning, adapter_id = fine_tune(session, starter, epochs, workers)
    with phases.phase("evaluate base and tuned model on the same held-out rows"):
        base, tuned = evaluate(session, starter, adapter_id)
    if session.local:
        with phases.phase("serve the tuned model and ask it over HTTP"):
            serve(session, adapter_id, tuned)
    report(session, DemoResult(tuning, base, tuned, phases.seconds))
    if base.rows != tuned.rows:
        raise CommandFailed(
            f"the base model was evaluated on {base.rows} rows, but the tuned model on {tuned.rows}"
        )
    if exact_match(tuned) < TUNED_AT_LEAST or exact_match(base) >= BASE_BELOW:
        raise CommandFailed(
            f"the tuned model must reach {TUNED_AT_LEAST:.0%} and has {exact_match(tuned):.1%}; "
            f"the base model must stay below {BASE_BELOW:.0%} and has {exact_match(base):.1%}"
        )
