"""Starts evaluation jobs."""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Any

from chassis.ids import new_id
from chassis.rpc.errors import Aborted
from chassis.rpc.peers import all_ended
from jobs.lifecycle import JobLifecycle
from services.evaluation import plan
from services.evaluation.checks import EvaluationChecks
from services.evaluation.peers import EvaluationPeers
from services.evaluation.request import EvaluationRequest
from services.evaluation.store import EvaluationJob


class EvaluationService:
    """Starts one job for each combination of model and adapter."""

    def __init__(
        self,
        lifecycle: JobLifecycle[EvaluationJob],
        checks: EvaluationChecks,
        peers: EvaluationPeers,
    ) -> None:
        self._lifecycle = lifecycle
        self._checks = checks
        self._peers = peers

    async def start(self, *, request: EvaluationRequest) -> list[EvaluationJob]:
        """Starts the jobs, in the order of the combinations; they share a parent id.

        A repeated request gets the jobs that it has started before; those of them that the
        workspace refused are started again.
        """
        before = self._lifecycle.started_by(request.key)
        known = assigned(request.combinations, before)
        if before and all(known):
            return [job for job in known if job]
        self._checks.check_request(request)
        checks: list[Awaitable[Any]] = [
            self._checks.require_granted(request),
            self._checks.find_references(request),
        ]
        await all_ended(*checks)
        parent = next((job.parent_job_id for job in known if job), None) or new_id()
        missing = [n for n, job in enumerate(known) if job is None]
        stored = await self._peers.configs.store(request.configs)
        models = list(dict.fromkeys(request.combinations[n][0] for n in missing))
        completed = await all_ended(
            *(self._peers.configs.complete(stored, plan.NEEDED, id) for id in models)
        )
        configs = dict(zip(models, completed, strict=True))
        new = []
        for n in missing:
            model_id, adapter_id = request.combinations[n]
            job = plan.record(request, configs[model_id], parent, model_id, adapter_id, n + 1)
            new.append(job)
        started = await self._lifecycle.start(new, earlier=before)
        # If the same request was sent twice at once, the other one may have started the jobs.
        all_of_it = {job.id: job for job in (*before, *started)}.values()
        jobs = [job for job in assigned(request.combinations, all_of_it) if job]
        if len(jobs) < len(request.combinations):
            raise Aborted(
                f"request_id: {request.key.request_id!r} was sent twice at the same time, and the "
                "workspace refused jobs of the first request; send it again",
                reason="STARTED_TWICE_AT_ONCE",
            )
        return jobs


def assigned(
    combinations: Sequence[tuple[str, str]], jobs: Iterable[EvaluationJob]
) -> list[EvaluationJob | None]:
    """Returns the job of each combination; None where there is none."""
    left = list(jobs)
    found: list[EvaluationJob | None] = []
    for combination in combinations:
        job = next((j for j in left if (j.base_model_id, j.adapter_id or "") == combination), None)
        if job is not None:
            left.remove(job)
        found.append(job)
    return found
