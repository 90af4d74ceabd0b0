"""Calls of the evaluation service to other domains."""

from collections.abc import Awaitable, Callable, Sequence

from chassis import domains
from chassis.config import Settings
from ft.proto.fine_tuning_studio_pb2 import (
    AdapterMetadata,
    GetAdapterRequest,
    GetDatasetSplitByAdapterRequest,
)
from jobs.requests.peers import JobPeers


class EvaluationPeers(JobPeers):
    """The other domains, as an evaluation sees them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._fine_tuning = domains.fine_tuning(settings)

    async def adapter(self, id: str) -> AdapterMetadata:
        """The adapter with that id. Raises NotFound."""
        return (await self._adapters(lambda s: s.GetAdapter, GetAdapterRequest(id=id))).adapter

    async def split(self, adapter_id: str) -> tuple[float, float]:
        """Fraction and split of the rows that the adapter was trained on; the defaults if it is
        not known."""
        request = GetDatasetSplitByAdapterRequest(adapter_id=adapter_id)
        split = (await self._fine_tuning(lambda s: s.GetDatasetSplitByAdapter, request)).response
        return split.dataset_fraction, split.train_test_split

    def closers(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """Functions that close the connections."""
        return [*super().closers(), self._fine_tuning.close]
