"""Calls of the prompts service to other domains."""

import json

from chassis import domains
from chassis.config import Settings
from ft.proto.domains_pb2 import FindColumnsRequest
from ft.proto.fine_tuning_studio_pb2 import GetDatasetRequest


class PromptPeers:
    """The datasets service, as a prompt sees it."""

    def __init__(self, settings: Settings) -> None:
        self._datasets = domains.datasets(settings)
        self.close = self._datasets.close

    async def columns(self, dataset_id: str) -> list[str]:
        """Column names of the dataset. Raises NotFound."""
        response = await self._datasets(
            lambda stub: stub.GetDataset, GetDatasetRequest(id=dataset_id)
        )
        # An imported dataset may have no columns on record.
        return list(json.loads(response.dataset.features or "[]"))

    async def later_columns(self, dataset_id: str) -> tuple[list[str], str]:
        """Column names by all of the dataset's file, and why there may be more, if so.

        Raises NotFound.
        """
        request = FindColumnsRequest(dataset_id=dataset_id)
        found = await self._datasets(lambda stub: stub.FindColumns, request)
        return list(found.columns), found.unread
