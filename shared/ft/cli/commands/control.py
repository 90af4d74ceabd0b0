"""`fts cancel`, `resume` and `jobs events`: control of existing jobs."""

from typing import Annotated, Any

import typer

from ft import api
from ft._watch import ended
from ft.cli.exits import CommandFailed, Exit
from ft.cli.options import FineTuningJobId, JobId
from ft.cli.output.render import Column, as_dict
from ft.cli.session import Session

EVENTS: list[Column] = [
    ("TIME", "time"),
    ("STATE", lambda event: event.state or event.kind.lower()),
    ("BY", "actor"),
    ("WHAT", lambda event: event.cause or event.waits_for or _details(event)),
]


def cancel(
    session: Session,
    job: JobId,
    reason: Annotated[str, typer.Option(help="Reason to record in the job's history.")] = "",
) -> None:
    """End a job. Its record stays, and a fine-tuning job can be resumed."""
    client = session.client
    found: Any = client.get_job(job)
    if ended(found.status):
        _report(session, found, f"has already ended ({found.status.state}); nothing was cancelled")
        return
    if isinstance(found, api.FineTuningJobMetadata):
        tuning = api.CancelFineTuningJobRequest(id=job, reason=reason)
        found = client.CancelFineTuningJob(tuning).fine_tuning_job
    elif isinstance(found, api.EvaluationJobMetadata):
        evaluation = api.CancelEvaluationJobRequest(id=job, reason=reason)
        found = client.CancelEvaluationJob(evaluation).evaluation_job
    else:
        export = api.CancelExportJobRequest(id=job, reason=reason)
        found = client.CancelExportJob(export).export_job
    state = found.status.state
    quicker = ended(found.status) and state != api.JobState.STOPPED
    _report(
        session, found, f"has already ended ({state}); nothing was cancelled" if quicker else ""
    )


def resume(session: Session, job: FineTuningJobId) -> None:
    """Start another attempt at a fine-tuning job that did not succeed, from its last checkpoint."""
    client = session.client
    if not isinstance(client.get_job(job), api.FineTuningJobMetadata):
        raise CommandFailed(
            f"{job} is not a fine-tuning job; only fine-tuning jobs can be resumed", Exit.REFUSED
        )
    request = api.ResumeFineTuningJobRequest(id=job)
    _report(session, client.ResumeFineTuningJob(request).fine_tuning_job)


def events(session: Session, job: JobId) -> None:
    """Show the history of a job."""
    found: list[api.JobEvent] = []
    while True:
        cursor = found[-1].cursor if found else 0
        request = api.ListJobEventsRequest(job_id=job, cursor=cursor)
        page = session.client.ListJobEvents(request).events
        if not page:
            break
        found.extend(page)
    session.out.items(found, EVENTS, "no events yet")


def _report(session: Session, job: Any, what: str = "") -> None:
    if session.out.json:
        session.out.data(as_dict(job))
    session.out.say(f"{job.id} {what or f'is {job.status.state}, attempt {job.status.attempt}'}")


def _details(event: api.JobEvent) -> str:
    """The notice of an event, or its progress."""
    if event.notice:
        return event.notice + (f" (attempt {event.attempt})" if event.attempt > 1 else "")
    parts = (
        f"step {event.step}" if event.HasField("step") else "",
        f"loss {event.loss:.4g}" if event.HasField("loss") else "",
        f"eval loss {event.eval_loss:.4g}" if event.HasField("eval_loss") else "",
    )
    return ", ".join(part for part in parts if part)
