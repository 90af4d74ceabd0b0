"""The RPCs of the configs service."""

from collections.abc import Collection, Mapping
from typing import Any

from chassis.store.convert import to_message
from chassis.store.idempotency import Repeats
from chassis.store.lists import TableList
from ft.proto.fine_tuning_studio_pb2 import (
    AddConfigRequest,
    AddConfigResponse,
    ConfigMetadata,
    GetConfigRequest,
    GetConfigResponse,
    ListConfigsRequest,
    ListConfigsResponse,
    RemoveConfigRequest,
    RemoveConfigResponse,
)
from services.configs.service import ConfigService
from services.configs.store import ConfigStore


class ConfigsServicer:
    """Request to one call of the domain to response."""

    def __init__(self, service: ConfigService, configs: ConfigStore) -> None:
        self._service = service
        self._configs = configs
        self._list = TableList(configs, ListConfigsResponse, hidden=configs.stepped_back)
        self._repeats = Repeats(configs)

    async def ListConfigs(self, request: ListConfigsRequest) -> ListConfigsResponse | bytes:
        allowed = await self._service.allowed(
            request.type, request.model_id, request.adapter_id, request.fine_tuning_job_id
        )
        return self._list.answer(request, allowed, self._hidden(request, allowed))

    def _hidden(
        self, request: ListConfigsRequest, allowed: Mapping[str, Collection[Any]]
    ) -> Collection[str]:
        # The list of all knows by itself; a job that has used one that has stepped back lists it.
        if not request.ByteSize() or "id" in allowed:
            return ()
        return self._configs.stepped_back(bool(request.model_id))

    async def GetConfig(self, request: GetConfigRequest) -> GetConfigResponse:
        config = self._service.get(request.id)
        return GetConfigResponse(config=to_message(ConfigMetadata, config))

    async def AddConfig(self, request: AddConfigRequest) -> AddConfigResponse:
        config = await self._repeats.once(
            request,
            lambda: self._service.add(request.type, request.config, request.description),
        )
        return AddConfigResponse(config=to_message(ConfigMetadata, config))

    async def RemoveConfig(self, request: RemoveConfigRequest) -> RemoveConfigResponse:
        await self._service.remove(request.id)
        return RemoveConfigResponse()
