"""The report at the end of the demo."""

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
class DemoResult:
    """Jobs of the demo, and the times of its phases."""

    tuning: api.FineTuningJobMetadata
    base: api.EvaluationJobMetadata
    tuned: api.EvaluationJobMetadata
    seconds: Mapping[str, float]
    """By title of the phase."""


def report(session: Session, result: DemoResult) -> None:
    """Prints answers, scores, times, and the next commands."""
    out = session.out
    if out.json:
        out.data(
            {
                "job": as_dict(result.tuning),
                "base": as_dict(result.base),
                "tuned": as_dict(result.tuned),
                "seconds": {title: round(spent, 1) for title, spent in result.seconds.items()},
            }
        )
        return
    _show_answers(out, result)
    row = [
        f"{result.tuned.rows} rows",
        f"{exact_match(result.base):.1%}",
        f"{exact_match(result.tuned):.1%}",
    ]
    out.say("")
    out.table(["HELD-OUT EXACT MATCH", "BASE", "TUNED"], [row])
    spent = [(title, f"{each:.1f}") for title, each in result.seconds.items()]
    out.say("")
    out.table(["PHASE", "SECONDS"], [*spent, ("total", f"{sum(result.seconds.values()):.1f}")])
    commands = _next_commands(session, result.tuning.id, result.tuned.id)
    out.say("\nNext:\n" + "\n".join(commands))


def exact_match(job: api.EvaluationJobMetadata) -> float:
    """Share of rows with exactly the expected answer."""
    return float(job.metrics["exact_match"])


def _show_answers(out: Output, result: DemoResult) -> None:
    of_base = {sample.input: sample.output for sample in result.base.samples}
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
            for sample in list(result.tuned.samples)[:SAMPLES]
        ],
    )


def _next_commands(session: Session, job_id: str, evaluation_id: str) -> Iterator[str]:
    """Commands to try next, with the path of `fts` from here."""
    fts = os.path.relpath(Path(sys.executable).with_name("fts"))
    yield f"  {fts} jobs                lists the jobs"
    yield f"  {fts} logs {job_id}"
    yield f"  {fts} eval compare {evaluation_id}"
    yield f"  {fts} adapters list       lists the new adapter"
    yield f"  {fts} train --help        explains how to fine-tune on your own data"
    if session.local:
        asked = PROMPT.input_template.format(customer="where is my parcel?").replace("\n", "\\n")
        yield f"  {fts} ask {SERVED_NAME} $'{asked}'"
        yield f"  {fts} down                stops the studio"


def _line(out: Output, text: str) -> str:
    """Output on one line, cut to fit the table."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 40 else f"{flat[:39]}{out.ellipsis}"
