"""Starts evaluation jobs."""

from chassis.ids import new_id
from jobs.lifecycle import JobLifecycle
from services.evaluation import plan
from services.evaluation.checks import Checks
from services.evaluation.peers import Peers
from services.evaluation.request import EvaluationRequest
from services.evaluation.store import EvaluationJob


class EvaluationService:
    """Starts one job for each combination of model and adapter."""

    def __init__(
        self, lifecycle: JobLifecycle[EvaluationJob], checks: Checks, peers: Peers
    ) -> None:
        self._lifecycle = lifecycle
        self._checks = checks
        self._peers = peers

    async def start(self, request: EvaluationRequest) -> list[EvaluationJob]:
        """Starts the jobs, in the order of the combinations; they share a parent id.

        A request that came before gets what it has started.
        """
        if before := self._lifecycle.started_before(request.request_id, request.digest):
            return list(before)
        self._checks.request(request)
        await self._checks.granted(request)
        await self._checks.references(request)
        parent = new_id()
        jobs = []
        for number, (model_id, adapter_id) in enumerate(request.combinations, start=1):
            stored = await self._peers.configs.store(request.configs)
            configs = await self._peers.configs.complete(stored, plan.NEEDED, model_id)
            jobs.append(plan.record(request, configs, parent, model_id, adapter_id, number))
        return await self._lifecycle.start(jobs)
