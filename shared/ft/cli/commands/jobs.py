"""`fts jobs` and `logs`."""

from contextlib import suppress
from typing import Annotated, Any

import typer

from ft import api
from ft._watch import Job
from ft.cli.options import JobId
from ft.cli.output.log_text import LogText
from ft.cli.output.render import Column, as_dict
from ft.cli.resources import Filters, parsed_filters
from ft.cli.session import Session, command, set_default
from ft.cli.watch import POLL_SECONDS, failure, follow, steps
from ft.client import UnavailableError, UnimplementedError

jobs = typer.Typer(help="Fine-tuning, evaluation and export jobs. Without a subcommand: list them.")
_KINDS: dict[type[Job], str] = {
    api.FineTuningJobMetadata: "fine-tuning",
    api.EvaluationJobMetadata: "evaluation",
    api.ExportJobMetadata: "export",
}


def _kind(job: Job) -> str:
    return _KINDS[type(job)]


def _name(job: Job) -> str:
    if isinstance(job, api.FineTuningJobMetadata):
        return job.adapter_name
    if isinstance(job, api.ExportJobMetadata):
        return job.model_name
    return f"adapter {job.adapter_id}" if job.adapter_id else f"model {job.base_model_id}"


COLUMNS: list[Column] = [
    ("ID", "id"),
    ("KIND", _kind),
    ("OF", _name),
    ("STATE", lambda job: str(job.status.state)),
    ("STEP", lambda job: steps(job.status)),
    ("CREATED", lambda job: str(job.status.created_at)),
    ("WAITS FOR", lambda job: str(job.status.waits_for)),
]


@command(jobs, "list")
def list_jobs(session: Session, filter: Filters = None) -> None:
    """List all jobs, oldest first.

    A filter names a field of fine-tuning and evaluation jobs, such as state. Export jobs are listed
    if they have that field too.
    """
    client = session.client
    fine_tuning = api.ListFineTuningJobsRequest(filter=parsed_filters(filter))
    evaluation = api.ListEvaluationJobsRequest(filter=parsed_filters(filter))
    found: list[Job] = [
        *client.ListFineTuningJobs(fine_tuning).fine_tuning_jobs,
        *client.ListEvaluationJobs(evaluation).evaluation_jobs,
    ]
    fields = {*api.ExportJobMetadata.DESCRIPTOR.fields_by_name, "state"}
    if parsed_filters(filter).keys() <= fields:
        # A studio of an earlier version has no export jobs.
        with suppress(UnimplementedError):
            exports = api.ListExportJobsRequest(filter=parsed_filters(filter))
            found += client.ListExportJobs(exports).export_jobs
    found.sort(key=lambda job: job.status.created_at)
    if session.out.json:
        session.out.data([{"kind": _kind(job), **as_dict(job)} for job in found])
    else:
        none = "no jobs match the filter" if filter else "no jobs yet; `fts train` starts one"
        session.out.items(found, COLUMNS, none)


set_default(jobs, list_jobs)


@command(jobs, "show")
def show_job(session: Session, job: JobId) -> None:
    """Show one job and its result. Only --json shows its manifest."""
    found = session.client.get_job(job)
    if isinstance(found, api.FineTuningJobMetadata) and not session.out.json:
        found.manifest = ""
    notices = list(found.status.notices)
    if not session.out.json:
        # They follow below, one per line.
        del found.status.notices[:]
    session.out.item(found)
    session.out.notices(notices)


@command(jobs, "watch")
def watch_job(session: Session, job: JobId) -> None:
    """Show the progress of a job until it has ended."""
    _watch(session, session.client.get_job(job))


@command(jobs, "remove")
def remove_job(session: Session, job: JobId) -> None:
    """Remove a job. End it if it runs."""
    found = session.client.get_job(job)
    if isinstance(found, api.FineTuningJobMetadata):
        session.client.RemoveFineTuningJob(api.RemoveFineTuningJobRequest(id=found.id))
    elif isinstance(found, api.EvaluationJobMetadata):
        session.client.RemoveEvaluationJob(api.RemoveEvaluationJobRequest(id=found.id))
    else:
        session.client.RemoveExportJob(api.RemoveExportJobRequest(id=found.id))
    if session.out.json:
        session.out.data({"removed": found.id})
    session.out.say(f"removed {_kind(found)} job {found.id}")


def logs(
    session: Session,
    job: JobId,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new output until the job has ended.")
    ] = False,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="Print the original bytes, which can contain control sequences for terminals.",
        ),
    ] = False,
) -> None:
    """Print the log of a job.

    Control characters are escaped. Of a progress bar, the last state is printed.
    """
    offset = 0
    text = LogText(follow)
    while True:
        request = api.TailLogsRequest(job_id=job, offset=offset, follow=follow)
        try:
            for part in session.client.TailLogs(request):
                if raw:
                    session.out.raw(part.data)
                else:
                    session.out.text(text.feed(part.data))
                offset = part.next_offset
            session.out.text(text.end())
            return
        except UnavailableError:
            # A studio that restarts ends the stream; the log continues.
            if not follow:
                raise
        session.client.wait_until_connected()


def started(session: Session, found: list[Any], watch: bool) -> None:
    """Reports the started jobs, and shows their progress if `watch` is set."""
    lines = [f"started {_kind(job)} job {job.id} ({_name(job)})" for job in found]
    session.out.announce("\n".join(lines))
    if watch:
        _watch(session, *found)
    elif session.out.json:
        session.out.data([as_dict(job) for job in found])


def _watch(session: Session, *started: Job) -> None:
    client = session.client
    ended = follow(
        session.out.console,
        {_name(job): client.watch_job(job.id, poll=POLL_SECONDS) for job in started},
        quiet=session.out.json,
    )
    if session.out.json:
        session.out.data([as_dict(job) for job in ended.values()])
    for title, job in ended.items():
        if job.status.state != api.JobState.SUCCEEDED:
            raise failure(client, title, job)
        session.out.say(f"{title}: {_outcome(job)}")


def _outcome(job: Job) -> str:
    if isinstance(job, api.FineTuningJobMetadata):
        return f"adapter {job.adapter_id} in {job.out_dir}" if job.adapter_id else "succeeded"
    if isinstance(job, api.ExportJobMetadata):
        registered = job.cml_registered_model_id
        return f"model {job.model_id}" + (f", in the registry {registered}" if registered else "")
    scores = ", ".join(f"{name} {value:.4g}" for name, value in sorted(job.metrics.items()))
    return f"{scores} over {job.rows} rows"
