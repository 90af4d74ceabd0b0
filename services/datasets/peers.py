"""Calls of the datasets service to other domains."""

from chassis import domains
from chassis.config import Settings
from ft.proto.domains_pb2 import RemovePromptsOfDatasetRequest


class DatasetPeers:
    """The prompts service, as a dataset sees it."""

    def __init__(self, settings: Settings) -> None:
        self._prompts = domains.prompts(settings)
        self.close = self._prompts.close

    async def remove_prompts(self, dataset_id: str) -> None:
        """Removes every prompt that is written for the dataset."""
        request = RemovePromptsOfDatasetRequest(dataset_id=dataset_id)
        await self._prompts(lambda stub: stub.RemovePromptsOfDataset, request)
