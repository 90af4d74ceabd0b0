"""What the models service asks of others."""

from dataclasses import dataclass

from chassis import domains
from chassis.config import Settings
from ft.proto.domains_pb2 import NoteExportRequest
from ft.proto.fine_tuning_studio_pb2 import (
    GetAdapterRequest,
    GetPromptRequest,
    PromptMetadata,
)


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """What an export needs to know of an adapter."""

    type: str
    model_id: str
    location: str
    prompt_id: str


class Adapters:
    """The adapters service."""

    def __init__(self, settings: Settings) -> None:
        self._peer = domains.adapters(settings)
        self.close = self._peer.close

    async def get(self, id: str) -> AdapterFacts:
        """The adapter with that id. Raises NotFound."""
        response = await self._peer(lambda stub: stub.GetAdapter, GetAdapterRequest(id=id))
        adapter = response.adapter
        return AdapterFacts(adapter.type, adapter.model_id, adapter.location, adapter.prompt_id)

    async def note_export(
        self, id: str, registered_model_id: str, experiment_id: str, run_id: str
    ) -> None:
        """Has the adapter's record say where it was exported to."""
        request = NoteExportRequest(
            adapter_id=id,
            cml_registered_model_id=registered_model_id,
            mlflow_experiment_id=experiment_id,
            mlflow_run_id=run_id,
        )
        await self._peer(lambda stub: stub.NoteExport, request)


class Prompts:
    """The prompts service."""

    def __init__(self, settings: Settings) -> None:
        self._peer = domains.prompts(settings)
        self.close = self._peer.close

    async def get(self, id: str) -> PromptMetadata:
        """The prompt with that id. Raises NotFound."""
        return (await self._peer(lambda stub: stub.GetPrompt, GetPromptRequest(id=id))).prompt
