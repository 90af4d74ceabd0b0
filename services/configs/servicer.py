"""The RPCs of the configs service."""

from collections.abc import Iterable

from chassis.convert import to_message
from chassis.lists import CachedList
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
from services.configs.store import Config, ConfigStore


class ConfigsServicer:
    """Request to one call of the domain to response."""

    def __init__(self, service: ConfigService, configs: ConfigStore) -> None:
        self._service = service
        self._list = CachedList(configs.store, lambda: _listed(configs.all()))

    async def ListConfigs(self, request: ListConfigsRequest) -> ListConfigsResponse | bytes:
        if not request.ByteSize():
            return self._list.get()
        return _listed(
            await self._service.matching(
                request.type, request.model_id, request.adapter_id, request.fine_tuning_job_id
            )
        )

    async def GetConfig(self, request: GetConfigRequest) -> GetConfigResponse:
        config = self._service.get(request.id)
        return GetConfigResponse(config=to_message(ConfigMetadata, config))

    async def AddConfig(self, request: AddConfigRequest) -> AddConfigResponse:
        config = await self._service.add(request.type, request.config, request.description)
        return AddConfigResponse(config=to_message(ConfigMetadata, config))

    async def RemoveConfig(self, request: RemoveConfigRequest) -> RemoveConfigResponse:
        await self._service.remove(request.id)
        return RemoveConfigResponse()


def _listed(configs: Iterable[Config]) -> ListConfigsResponse:
    return ListConfigsResponse(configs=[to_message(ConfigMetadata, c) for c in configs])
