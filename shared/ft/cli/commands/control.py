"""`fts cancel`, `resume`, `jobs events`: what is done to jobs that are there."""

from typing import Annotated, Any

import typer

from ft import api
from ft._watch import ended
from ft.cli.exits import CommandFailed, Exit
from ft.cli.options import JobId
from ft.cli.output.render import Column, as_dict
from ft.cli.session import Session

EVENTS: list[Column] = [
    ("TIME", "time"),
    ("STATE", lambda event: event.state or event.kind.lower()),
    ("BY", "actor"),
    ("WHAT", lambda event: event.cause or event.waits_for or _notice(event) or _progress(event)),
]


def cancel(
    session: Session,
    job: JobId,
    reason: Annotated[str, typer.Option(help="Reason to record in the job's history.")] = "",
) -> None:
    """End a job. It is kept, and can be resumed if it is a fine-tuning job."""
    client = session.client
    found: Any = client.get_job(job)
    if ended(found.status):
        _told(session, found, f"had ended ({found.status.state}); nothing was cancelled")
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
    _told(session, found, f"had ended ({state}); nothing was cancelled" if quicker else "")


def resume(session: Session, job: JobId) -> None:
    """Try a fine-tuning job again that has ended without success, from its last checkpoint."""
    client = session.client
    if not isinstance(client.get_job(job), api.FineTuningJobMetadata):
        raise CommandFailed(
            f"{job} is no fine-tuning job; only those have checkpoints", Exit.REFUSED
        )
    request = api.ResumeFineTuningJobRequest(id=job)
    _told(session, client.ResumeFineTuningJob(request).fine_tuning_job)


def events(session: Session, job: JobId) -> None:
    """Show what has happened to a job."""
    found: list[api.JobEvent] = []
    while True:
        cursor = found[-1].cursor if found else 0
        request = api.ListJobEventsRequest(job_id=job, cursor=cursor)
        page = session.client.ListJobEvents(request).events
        if not page:
            break
        found.extend(page)
    session.out.items(found, EVENTS, "nothing has happened yet")


def _told(session: Session, job: Any, what: str = "") -> None:
    if session.out.json:
        session.out.data(as_dict(job))
    session.out.say(f"{job.id} {what or f'is {job.status.state}, attempt {job.status.attempt}'}")


def _notice(event: api.JobEvent) -> str:
    again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
    return event.notice and event.notice + again


def _progress(event: api.JobEvent) -> str:
    parts = (
        f"step {event.step}" if event.HasField("step") else "",
        f"loss {event.loss:.4g}" if event.HasField("loss") else "",
        f"eval loss {event.eval_loss:.4g}" if event.HasField("eval_loss") else "",
    )
    return ", ".join(part for part in parts if part)
