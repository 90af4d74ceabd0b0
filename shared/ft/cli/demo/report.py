"""What the demo prints in the end."""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ft import api
from ft.cli.demo.starter import PROMPT, sentence
from ft.cli.demo.steps import SAMPLES, SERVED_NAME
from ft.cli.output.render import Output, as_dict
from ft.cli.session import Session


@dataclass(frozen=True)
class Outcome:
    """What has come out of it."""

    tuning: api.FineTuningJobMetadata
    base: api.EvaluationJobMetadata
    tuned: api.EvaluationJobMetadata
    seconds: Mapping[str, float]
    """What each part of the demo took."""


def report(session: Session, outcome: Outcome) -> None:
    """Prints scores, some answers, times, and what to type next."""
    out = session.out
    if out.json:
        out.data(_as_data(outcome))
        return
    _answers(out, outcome)
    row = [
        f"{outcome.tuned.rows} rows",
        f"{exact(outcome.base):.1%}",
        f"{exact(outcome.tuned):.1%}",
    ]
    out.say("")
    out.table(["HELD-OUT EXACT MATCH", "BASE", "TUNED"], [row])
    _times(out, outcome.seconds)
    commands = _next_commands(session, outcome.tuning.id, outcome.tuned.id)
    out.say("\nNext:\n" + "\n".join(commands))


def exact(job: api.EvaluationJobMetadata) -> float:
    """Share of rows that are answered exactly as expected."""
    return float(job.metrics["exact_match"])


def _as_data(outcome: Outcome) -> dict[str, object]:
    return {
        "job": as_dict(outcome.tuning),
        "base": as_dict(outcome.base),
        "tuned": as_dict(outcome.tuned),
        "seconds": {title: round(spent, 1) for title, spent in outcome.seconds.items()},
    }


def _answers(out: Output, outcome: Outcome) -> None:
    of_base = {sample.input: sample.output for sample in outcome.base.samples}
    out.say("")
    out.table(
        ["INPUT", "EXPECTED", "BASE", "TUNED"],
        [
            [
                sentence(sample.input),
                sample.expected.strip(),
                _line(out, of_base.get(sample.input, "")),
                _line(out, sample.output),
            ]
            for sample in list(outcome.tuned.samples)[:SAMPLES]
        ],
    )


def _times(out: Output, seconds: Mapping[str, float]) -> None:
    spent = [(title, f"{each:.1f}") for title, each in seconds.items()]
    out.say("")
    out.table(["PHASE", "SECONDS"], [*spent, ("in all", f"{sum(seconds.values()):.1f}")])


def _next_commands(session: Session, job_id: str, evaluation_id: str) -> Iterator[str]:
    """Lines to type, with the command as it is reached from here."""
    fts = os.path.relpath(Path(sys.executable).with_name("fts"))
    yield f"  {fts} jobs                what ran"
    yield f"  {fts} logs {job_id}"
    yield f"  {fts} eval compare {evaluation_id}"
    yield f"  {fts} adapters list       the adapter that was made"
    yield f"  {fts} train --help        fine-tune on data of your own"
    if session.local:
        asked = PROMPT.input_template.format(customer="where is my parcel?").replace("\n", "\\n")
        yield f"  {fts} ask {SERVED_NAME} $'{asked}'"
        yield f"  {fts} down                stop the studio"


def _line(out: Output, text: str) -> str:
    """Output on one line, cut where a table would burst."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 40 else f"{flat[:39]}{out.ellipsis}"
