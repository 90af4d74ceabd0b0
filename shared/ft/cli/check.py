"""Shows the findings about a job before its start."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import grpc

from ft import api
from ft.cli.exits import CommandFailed, Exit
from ft.cli.output.render import as_dict
from ft.cli.request_configs import RequestConfigs
from ft.cli.session import Session
from ft.client import StudioError

Report = api.ValidateFineTuningJobResponse | api.ValidateEvaluationJobResponse


def show(
    session: Session, report: Report, configs: RequestConfigs, fields: Mapping[str, Any]
) -> None:
    """Prints the report and the settings in effect. `fields` of the request override its configs.

    Raises CommandFailed unless the job would be accepted.
    """
    out = session.out
    if out.json:
        out.data({**as_dict(report), "configs": configs.as_data(fields)})
    else:
        configs.show(out, fields)
        if report.findings:
            rows = [
                [one.severity, one.field, _description(one), one.rule] for one in report.findings
            ]
            out.table(["", "FIELD", "FINDING", "RULE"], rows)
            out.say("")
        for line in _estimates(report):
            out.say(line)
    if not report.valid:
        raise CommandFailed("the job would be refused, or would fail", Exit.REFUSED)
    out.say("The job would be accepted.")


def before_start(session: Session, ask: Callable[[], Report]) -> None:
    """Checks a job before its start, and prints warnings and notices to standard error.

    Raises CommandFailed with the errors if the job would be refused or would fail.
    """
    out = session.out
    try:
        report = ask()
    except StudioError as error:
        if error.code not in _UNCHECKED:
            raise
        if error.code is not grpc.StatusCode.UNIMPLEMENTED:  # By a studio of an older release.
            out.aside(f"the job was not checked before its start: {error}")
        return
    for one in report.findings:
        if one.severity != "ERROR":
            out.aside(f"{one.severity.lower()}: {one.field}: {_description(one)} ({one.rule})")
    if not report.valid:
        wrong = [
            f"{one.field}: {_description(one)} ({one.rule})"
            for one in report.findings
            if one.severity == "ERROR"
        ]
        raise CommandFailed(
            "\n".join([*wrong, "No job is started. --unchecked starts one without this check."]),
            Exit.REFUSED,
        )


_UNCHECKED = (
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.UNIMPLEMENTED,
)


def _description(finding: api.Finding) -> str:
    if not finding.rows:
        return finding.description
    first = ", ".join(finding.places)
    return f"{finding.description} ({finding.rows} rows{f': {first}' if first else ''})"


def _estimates(report: Report) -> Iterator[str]:
    if report.HasField("data"):
        data = report.data
        yield f"rows: {data.used_rows:,} of {data.rows:,}, {data.held_out_rows:,} held out"
        if data.tokens:
            yield (
                f"tokens: {data.tokens:,}; longest row {data.longest_row_tokens:,}, "
                f"context {data.context_tokens:,}; padded with {data.pad_token!r}"
            )
        if data.total_steps:
            yield f"steps: {data.total_steps:,}, {data.steps_per_epoch:,} per pass"
    if report.HasField("memory"):
        memory = report.memory
        if memory.on_gpu:
            yield (
                f"memory: {_gib(memory.gib)} of the GPU, and the requested "
                f"{_gib(memory.asked_gib)} of main memory"
            )
        else:
            yield f"memory: {_gib(memory.gib)} of {_gib(memory.asked_gib)}"
        yield from (f"  {line}" for line in memory.reasoning)
    if isinstance(report, api.ValidateFineTuningJobResponse) and report.HasField("time"):
        time = report.time
        speed = f"{time.tokens_per_second:,.0f} tokens/s"
        yield f"time: {_duration(time.seconds)} at {speed}, as in {', '.join(time.job_ids)}"


def _gib(size: float) -> str:
    # A small model does not need 0.0 GiB.
    return f"{size:.1f} GiB" if size >= 0.1 else f"{size:.2f} GiB"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
