"""What the models service asks of others."""

from dataclasses import dataclass

from chassis import domains
from chassis.config import Settings
from ft.proto.fine_tuning_studio_pb2 import GetAdapterRequest


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """What an export needs to know of an adapter."""

    type: str
    model_id: str
    location: str


class Adapters:
    """The adapters service."""

    def __init__(self, settings: Settings) -> None:
        self._peer = domains.adapters(settings)
        self.close = self._peer.close

    async def get(self, id: str) -> AdapterFacts:
        """The adapter with that id. Raises NotFound."""
        response = await self._peer(lambda stub: stub.GetAdapter, GetAdapterRequest(id=id))
        adapter = response.adapter
        return AdapterFacts(adapter.type, adapter.model_id, adapter.location)
