"""What the fine-tuning service asks of others."""

from collections.abc import Awaitable, Callable, Sequence

from chassis import domains
from chassis.config import Settings
from chassis.errors import NotFound
from chassis.peers import all_referred, referred
from ft.proto.fine_tuning_studio_pb2 import (
    AdapterMetadata,
    GetAdapterRequest,
    GetConfigRequest,
    GetDatasetRequest,
    GetModelRequest,
    GetPromptRequest,
    ListAdaptersRequest,
)
from jobs.configs import JobConfigs
from services.fine_tuning.request import JobRequest


class Peers:
    """The other domains, as a fine-tuning job sees them."""

    def __init__(self, settings: Settings) -> None:
        self._models = domains.models(settings)
        self._datasets = domains.datasets(settings)
        self._prompts = domains.prompts(settings)
        self.configs = JobConfigs(settings)
        self._adapters = domains.adapters(settings)

    async def check_references(self, request: JobRequest) -> str:
        """The dataset that the request's prompt is written for.

        Raises FailedPrecondition, naming the field, for the first reference that does not exist.
        """
        *_, written_for = await all_referred(
            referred("base_model_id", self._model(request.base_model_id)),
            referred("dataset_id", self._dataset(request.dataset_id)),
            referred("user_config_id", self._config(request.user_config_id)),
            referred("prompt_id", self._prompt(request.prompt_id)),
        )
        return str(written_for)

    async def adapter_named(self, name: str) -> str | None:
        """Id of the adapter of that name."""
        response = await self._adapters(lambda s: s.ListAdapters, ListAdaptersRequest())
        return next((a.id for a in response.adapters if a.name == name), None)

    async def adapter(self, id: str) -> AdapterMetadata | None:
        """The adapter with that id."""
        try:
            return (await self._adapters(lambda s: s.GetAdapter, GetAdapterRequest(id=id))).adapter
        except NotFound:
            return None

    def closers(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """What to call at the end."""
        peers = (self._models, self._datasets, self._prompts, self.configs, self._adapters)
        return [peer.close for peer in peers]

    async def _model(self, id: str) -> None:
        await self._models(lambda s: s.GetModel, GetModelRequest(id=id))

    async def _dataset(self, id: str) -> None:
        await self._datasets(lambda s: s.GetDataset, GetDatasetRequest(id=id))

    async def _config(self, id: str) -> None:
        if id:
            await self.configs.peer(lambda s: s.GetConfig, GetConfigRequest(id=id))

    async def _prompt(self, id: str) -> str:
        response = await self._prompts(lambda s: s.GetPrompt, GetPromptRequest(id=id))
        return response.prompt.dataset_id
