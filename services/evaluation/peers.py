"""What the evaluation service asks of others."""

from collections.abc import Awaitable, Callable, Sequence

from chassis import domains
from chassis.config import Settings
from ft.proto.fine_tuning_studio_pb2 import (
    AdapterMetadata,
    DatasetMetadata,
    GetAdapterRequest,
    GetDatasetRequest,
    GetDatasetSplitByAdapterRequest,
    GetModelRequest,
    GetPromptRequest,
    ModelMetadata,
    PromptMetadata,
)
from jobs.configs import JobConfigs


class Peers:
    """The other domains, as an evaluation sees them."""

    def __init__(self, settings: Settings) -> None:
        self._models = domains.models(settings)
        self._datasets = domains.datasets(settings)
        self._prompts = domains.prompts(settings)
        self.configs = JobConfigs(settings)
        self._adapters = domains.adapters(settings)
        self._fine_tuning = domains.fine_tuning(settings)
        self.inspection = domains.inspection(settings)

    async def model(self, id: str) -> ModelMetadata:
        """The model with that id. Raises NotFound."""
        return (await self._models(lambda s: s.GetModel, GetModelRequest(id=id))).model

    async def dataset(self, id: str) -> DatasetMetadata:
        """The dataset with that id. Raises NotFound."""
        return (await self._datasets(lambda s: s.GetDataset, GetDatasetRequest(id=id))).dataset

    async def adapter(self, id: str) -> AdapterMetadata:
        """The adapter with that id. Raises NotFound."""
        return (await self._adapters(lambda s: s.GetAdapter, GetAdapterRequest(id=id))).adapter

    async def prompt(self, id: str) -> PromptMetadata:
        """The prompt with that id. Raises NotFound."""
        return (await self._prompts(lambda s: s.GetPrompt, GetPromptRequest(id=id))).prompt

    async def split(self, adapter_id: str) -> tuple[float, float]:
        """Fraction and split of the rows that the adapter was trained on; the defaults if it is
        not known."""
        request = GetDatasetSplitByAdapterRequest(adapter_id=adapter_id)
        split = (await self._fine_tuning(lambda s: s.GetDatasetSplitByAdapter, request)).response
        return split.dataset_fraction, split.train_test_split

    def closers(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """What to call at the end."""
        peers = (
            self._models,
            self._datasets,
            self._prompts,
            self.configs,
            self._adapters,
            self._fine_tuning,
            self.inspection,
        )
        return [peer.close for peer in peers]
