"""Evaluations and the rows that they have scored, asked of the studio."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ft import api
from ft.cli.exits import CommandFailed, Exit
from ft.cli.output.comparison import Evaluated, keyed
from ft.cli.resources import ADAPTERS, MODELS
from ft.client import FailedPreconditionError, FineTuningStudioClient, NotFoundError


def rows_of(client: FineTuningStudioClient, job_id: str) -> Iterator[api.EvaluationRow]:
    """The rows of an evaluation job, as they come. Raises StudioError."""
    request = api.StreamEvaluationRowsRequest(job_id=job_id)
    for answer in client.StreamEvaluationRows(request):
        yield from answer.rows


def evaluated(
    client: FineTuningStudioClient, parent: str
) -> tuple[list[Evaluated], list[api.EvaluationJobMetadata]]:
    """The evaluations of one request, in its order, and those of them that have no rows.

    Raises CommandFailed if there are none of that parent, or none that has rows.
    """
    jobs = _jobs(client, parent)
    found, without = [], []
    for job, title in zip(jobs, _titles(client, jobs), strict=True):
        try:
            found.append(Evaluated(title, job, keyed(rows_of(client, job.id))))
        except FailedPreconditionError:
            without.append(job)
    if not found:
        states = ", ".join(f"{job.id} is {job.status.state}" for job in without)
        raise CommandFailed(f"no evaluation has rows to compare: {states}", Exit.REFUSED)
    return found, without


def _jobs(client: FineTuningStudioClient, parent: str) -> list[api.EvaluationJobMetadata]:
    """The jobs of that parent, which one of them may stand for."""
    request = api.ListEvaluationJobsRequest(filter={"parent_job_id": parent})
    # A studio of an earlier version lists all the same.
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


def _titles(client: FineTuningStudioClient, jobs: Sequence[api.EvaluationJobMetadata]) -> list[str]:
    """What each job evaluates, by name where it still has one; distinct."""
    names = {item.id: item.name for kind in (MODELS, ADAPTERS) for item in kind.all(client)}
    ids = [job.adapter_id or job.base_model_id for job in jobs]
    plain = [names.get(id, id) for id in ids]
    times = Counter(plain)
    return [
        title if times[title] == 1 else f"{title} ({job.id[:8]})"
        for title, job in zip(plain, jobs, strict=True)
    ]
