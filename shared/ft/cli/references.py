"""Records that still name a data set that is gone."""

from collections.abc import Callable, Iterable
from typing import Any

from ft import api
from ft.cli.resources import ADAPTERS, PROMPTS
from ft.client import FineTuningStudioClient, StudioError

_SHOWN = 5


def referring(client: FineTuningStudioClient, dataset_id: str) -> list[str]:
    """What still names a data set that was removed, a sentence for each kind."""
    try:
        prompts = PROMPTS.all(client, filter={"dataset_id": dataset_id})
        tuned = api.ListFineTuningJobsRequest(filter={"dataset_id": dataset_id})
        jobs = [
            one
            for one in client.ListFineTuningJobs(tuned).fine_tuning_jobs
            if one.dataset_id == dataset_id
        ]
        trained = {one.id for one in jobs}
        adapters = [one for one in ADAPTERS.all(client) if one.fine_tuning_job_id in trained]
        evaluated = api.ListEvaluationJobsRequest(filter={"dataset_id": dataset_id})
        evaluations = list(client.ListEvaluationJobs(evaluated).evaluation_jobs)
    except StudioError:
        # It is removed, whatever else cannot be read now.
        return []
    # A studio of an earlier version does not filter.
    prompts = [one for one in prompts if one.dataset_id == dataset_id]
    evaluations = [one for one in evaluations if one.dataset_id == dataset_id]
    found = [
        _said("prompt", prompts, _name),
        _said("adapter trained on it", adapters, _name),
        _said("fine-tuning job", jobs, lambda job: str(job.adapter_name)),
        _said("evaluation job", evaluations, lambda job: str(job.id)),
    ]
    return [said for said in found if said]


def _name(item: Any) -> str:
    return str(item.name)


def _said(kind: str, items: Iterable[Any], name: Callable[[Any], str]) -> str:
    names = [name(item) for item in items]
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"Still there, and without this dataset now: {kind} {', '.join(names[:_SHOWN])}{more}."
