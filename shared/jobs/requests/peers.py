"""Calls of the job domains to other services."""

from collections.abc import Awaitable, Callable, Sequence

from chassis import domains
from chassis.config import Settings
from ft.proto.fine_tuning_studio_pb2 import (
    DatasetMetadata,
    GetDatasetRequest,
    GetModelRequest,
    GetPromptRequest,
    ModelMetadata,
    PromptMetadata,
)
from jobs.requests.configs import JobConfigs


class JobPeers:
    """Clients of the services that a job domain calls."""

    def __init__(self, settings: Settings) -> None:
        self._models = domains.models(settings)
        self._datasets = domains.datasets(settings)
        self._prompts = domains.prompts(settings)
        self._adapters = domains.adapters(settings)
        self.configs = JobConfigs(settings)
        self.inspection = domains.inspection(settings)

    async def model(self, id: str) -> ModelMetadata:
        """Returns the model with that id. Raises NotFound."""
        return (await self._models(lambda s: s.GetModel, GetModelRequest(id=id))).model

    async def dataset(self, id: str) -> DatasetMetadata:
        """Returns the dataset with that id. Raises NotFound."""
        return (await self._datasets(lambda s: s.GetDataset, GetDatasetRequest(id=id))).dataset

    async def prompt(self, id: str) -> PromptMetadata:
        """Returns the prompt with that id. Raises NotFound."""
        return (await self._prompts(lambda s: s.GetPrompt, GetPromptRequest(id=id))).prompt

    def closers(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """Returns the functions that close the connections."""
        peers = (self._models, self._datasets, self._prompts, self._adapters)
        return [*(peer.close for peer in peers), self.configs.close, self.inspection.close]
