"""Fetches evaluations with the rows that they have scored."""

from collections import Counter
from collections.abc import Iterator

from ft import api
from ft.cli.exits import CommandFailed, Exit
from ft.cli.output.comparison import ScoredEvaluation, keyed
from ft.cli.resources import ADAPTERS, MODELS
from ft.client import FailedPreconditionError, FineTuningStudioClient, NotFoundError


def rows_of(client: FineTuningStudioClient, job_id: str) -> Iterator[api.EvaluationRow]:
    """Streams the rows of an evaluation job. Raises StudioError."""
    request = api.StreamEvaluationRowsRequest(job_id=job_id)
    for answer in client.StreamEvaluationRows(request):
        yield from answer.rows


def scored_evaluations(
    client: FineTuningStudioClient, parent: str
) -> tuple[list[ScoredEvaluation], list[api.EvaluationJobMetadata]]:
    """The evaluations of one request in its order, and those without rows.

    Raises CommandFailed if the parent has no evaluations, or none with rows.
    """
    jobs = _jobs(client, parent)
    names = {item.id: item.name for kind in (MODELS, ADAPTERS) for item in kind.all(client)}
    ids = [job.adapter_id or job.base_model_id for job in jobs]
    titles = [names.get(id, id) for id in ids]
    times = Counter(titles)
    found, without = [], []
    for job, name in zip(jobs, titles, strict=True):
        title = name if times[name] == 1 else f"{name} ({job.id[:8]})"
        try:
            found.append(ScoredEvaluation(title, job, keyed(rows_of(client, job.id))))
        except FailedPreconditionError:
            without.append(job)
    if not found:
        states = ", ".join(f"{job.id} is {job.status.state}" for job in without)
        raise CommandFailed(f"no evaluation has rows to compare: {states}", Exit.REFUSED)
    return found, without


def _jobs(client: FineTuningStudioClient, parent: str) -> list[api.EvaluationJobMetadata]:
    """The jobs with that parent id; the id may also be that of one of them."""
    request = api.ListEvaluationJobsRequest(filter={"parent_job_id": parent})
    # A studio of an earlier version ignores the filter.
    listed = client.ListEvaluationJobs(request).evaluation_jobs
    if jobs := [job for job in listed if job.parent_job_id == parent]:
        return jobs
    try:
        request_by_id = api.GetEvaluationJobRequest(id=parent)
        one = client.GetEvaluationJob(request_by_id).evaluation_job
    except NotFoundError:
        description = f"no evaluation has the id or the parent id {parent!r}"
        raise CommandFailed(description, Exit.NOT_FOUND) from None
    return _jobs(client, one.parent_job_id) if one.parent_job_id else [one]
