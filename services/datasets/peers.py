"""What the datasets service asks of others."""

from chassis import domains
from chassis.config import Settings
from ft.proto.domains_pb2 import RemovePromptsOfDatasetRequest


class Prompts:
    """The prompts service."""

    def __init__(self, settings: Settings) -> None:
        self._peer = domains.prompts(settings)
        self.close = self._peer.close

    async def remove_of_dataset(self, dataset_id: str) -> None:
        """Removes every prompt that is written for the dataset."""
        await self._peer(
            lambda stub: stub.RemovePromptsOfDataset,
            RemovePromptsOfDatasetRequest(dataset_id=dataset_id),
        )
