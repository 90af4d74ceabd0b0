"""Calls of the fine-tuning service to other domains."""

import json
from collections.abc import Sequence

from chassis.rpc.errors import NotFound
from ft.enums import ConfigType
from ft.proto.fine_tuning_studio_pb2 import (
    AdapterMetadata,
    AddPromptRequest,
    ConfigMetadata,
    GetAdapterRequest,
    GetConfigRequest,
    ListAdaptersRequest,
    ListConfigsRequest,
    ListPromptsRequest,
    PromptMetadata,
)
from jobs.requests.peers import JobPeers


class FineTuningPeers(JobPeers):
    """The other domains, as a fine-tuning job sees them."""

    async def prompts(self) -> Sequence[PromptMetadata]:
        """Every prompt."""
        return (await self._prompts(lambda s: s.ListPrompts, ListPromptsRequest())).prompts

    async def add_prompt(self, prompt: PromptMetadata) -> str:
        """Adds a prompt; its id. Raises AlreadyExists."""
        request = AddPromptRequest(prompt=prompt)
        return (await self._prompts(lambda s: s.AddPrompt, request)).prompt.id

    async def columns_of_format(self, name: str) -> list[str]:
        """Columns of a dataset format of Axolotl, in order; empty if the studio has none of that
        name."""
        request = ListConfigsRequest(type=ConfigType.AXOLOTL_DATASET_FORMATS)
        for config in (await self.configs.peer(lambda s: s.ListConfigs, request)).configs:
            if config.description == name:
                return list(json.loads(config.config))
        return []

    async def config(self, id: str) -> ConfigMetadata:
        """The config with that id. Raises NotFound."""
        return (await self.configs.peer(lambda s: s.GetConfig, GetConfigRequest(id=id))).config

    async def adapter_named(self, name: str) -> AdapterMetadata | None:
        """The adapter of that name."""
        request = ListAdaptersRequest(filter={"name": name}, page_size=1)
        response = await self._adapters(lambda s: s.ListAdapters, request)
        return next(iter(response.adapters), None)

    async def adapter(self, id: str) -> AdapterMetadata | None:
        """The adapter with that id."""
        try:
            return (await self._adapters(lambda s: s.GetAdapter, GetAdapterRequest(id=id))).adapter
        except NotFound:
            return None
