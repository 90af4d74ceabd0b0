"""Finds records that still name a removed dataset."""

from ft import api
from ft.cli.resources import ADAPTERS, PROMPTS
from ft.client import FineTuningStudioClient, StudioError

_SHOWN = 5


def referring(client: FineTuningStudioClient, dataset_id: str) -> list[str]:
    """Records that still name a removed dataset, a sentence for each kind."""
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
        # The dataset is removed, even if its references cannot be read now.
        return []
    # A studio of an earlier version does not filter.
    prompts = [one for one in prompts if one.dataset_id == dataset_id]
    evaluations = [one for one in evaluations if one.dataset_id == dataset_id]
    found = [
        _sentence("prompt", [one.name for one in prompts]),
        _sentence("adapter trained on it", [one.name for one in adapters]),
        _sentence("fine-tuning job", [one.adapter_name for one in jobs]),
        _sentence("evaluation job", [one.id for one in evaluations]),
    ]
    return [sentence for sentence in found if sentence]


def _sentence(kind: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"Still there, and without this dataset now: {kind} {', '.join(names[:_SHOWN])}{more}."
