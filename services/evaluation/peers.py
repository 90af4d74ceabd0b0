"""What the evaluation service asks of others."""

from collections.abc import Awaitable, Callable, Sequence

from chassis import domains
from chassis.config import Settings
from chassis.peers import all_referred, referred
from ft.proto.fine_tuning_studio_pb2 import (
    GetAdapterRequest,
    GetDatasetRequest,
    GetModelRequest,
    GetPromptRequest,
)
from jobs.configs import JobConfigs
from services.evaluation.request import EvaluationRequest


class Peers:
    """The other domains, as an evaluation sees them."""

    def __init__(self, settings: Settings) -> None:
        self._models = domains.models(settings)
        self._datasets = domains.datasets(settings)
        self._prompts = domains.prompts(settings)
        self.configs = JobConfigs(settings)
        self._adapters = domains.adapters(settings)

    async def check_references(self, request: EvaluationRequest) -> None:
        """Raises FailedPrecondition, naming the field, if a reference does not exist."""
        lookups = [
            referred("dataset_id", self._dataset(request.dataset_id)),
            referred("prompt_id", self._prompt(request.prompt_id)),
        ]
        for number, (model_id, adapter_id) in enumerate(request.combinations):
            field = f"model_adapter_combinations[{number}]"
            lookups.append(referred(f"{field}.base_model_id", self._model(model_id)))
            if adapter_id:
                lookups.append(referred(f"{field}.adapter_id", self._adapter(adapter_id)))
        if request.comparison_adapter_id:
            lookups.append(
                referred("comparison_adapter_id", self._adapter(request.comparison_adapter_id))
            )
        await all_referred(*lookups)

    def closers(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """What to call at the end."""
        peers = (self._models, self._datasets, self._prompts, self.configs, self._adapters)
        return [peer.close for peer in peers]

    async def _model(self, id: str) -> None:
        await self._models(lambda s: s.GetModel, GetModelRequest(id=id))

    async def _dataset(self, id: str) -> None:
        await self._datasets(lambda s: s.GetDataset, GetDatasetRequest(id=id))

    async def _adapter(self, id: str) -> None:
        await self._adapters(lambda s: s.GetAdapter, GetAdapterRequest(id=id))

    async def _prompt(self, id: str) -> None:
        await self._prompts(lambda s: s.GetPrompt, GetPromptRequest(id=id))
