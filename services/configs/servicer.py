"""The RPCs of the configs service."""

from collections.abc import Collection

from chassis.store.forms import MessageForm
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
from services.configs.request import ConfigRequest
from services.configs.service import ConfigService
from services.configs.store import Config, ConfigStore


class ConfigsServicer:
    """Request to one call of the domain to response."""

    def __init__(self, service: ConfigService, configs: ConfigStore) -> None:
        self._service = service
        self._configs = configs
        self._form = MessageForm(ConfigMetadata, Config.table())
        self._list = TableList(
            configs, ListConfigsResponse, self._form, hidden=configs.stepped_back_in
        )

    async def ListConfigs(self, request: ListConfigsRequest) -> bytes:
        allowed = await self._service.allowed(
            request.type, request.model_id, request.adapter_id, request.fine_tuning_job_id
        )
        hidden: Collection[str] = ()
        # The list of all leaves them out by itself; the list of a job has each that it has used.
        if request.ByteSize() and "id" not in allowed:
            hidden = self._configs.stepped_back(bool(request.model_id))
        return await self._list.answer(request, allowed, hidden)

    async def GetConfig(self, request: GetConfigRequest) -> GetConfigResponse:
        return GetConfigResponse(config=self._configs.message(self._form, request.id))

    async def AddConfig(self, request: AddConfigRequest) -> AddConfigResponse:
        config = await self._service.add(request=ConfigRequest.from_message(request))
        return AddConfigResponse(config=self._form.of_record(config))

    async def RemoveConfig(self, request: RemoveConfigRequest) -> RemoveConfigResponse:
        await self._service.remove(request.id)
        return RemoveConfigResponse()
