"""Calls of the models service to other domains."""

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
    """The fields of an adapter that an export needs."""

    type: str
    model_id: str
    location: str
    prompt_id: str


class ModelPeers:
    """The adapters and prompts services, as an export sees them."""

    def __init__(self, settings: Settings) -> None:
        self._adapters = domains.adapters(settings)
        self._prompts = domains.prompts(settings)

    async def adapter(self, id: str) -> AdapterFacts:
        """The adapter with that id. Raises NotFound."""
        response = await self._adapters(lambda stub: stub.GetAdapter, GetAdapterRequest(id=id))
        adapter = response.adapter
        return AdapterFacts(adapter.type, adapter.model_id, adapter.location, adapter.prompt_id)

    async def prompt(self, id: str) -> PromptMetadata:
        """The prompt with that id. Raises NotFound."""
        return (await self._prompts(lambda stub: stub.GetPrompt, GetPromptRequest(id=id))).prompt

    async def note_export(
        self, id: str, registered_model_id: str, experiment_id: str, run_id: str
    ) -> None:
        """Stores in the adapter's record where it was exported to."""
        request = NoteExportRequest(
            adapter_id=id,
            cml_registered_model_id=registered_model_id,
            mlflow_experiment_id=experiment_id,
            mlflow_run_id=run_id,
        )
        await self._adapters(lambda stub: stub.NoteExport, request)

    async def close(self) -> None:
        """Closes the connections."""
        await self._adapters.close()
        await self._prompts.close()
