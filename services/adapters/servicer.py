"""The RPCs of the adapters service."""

import asyncio

from chassis.store.forms import MessageForm
from chassis.store.lists import TableList
from ft.proto.domains_pb2 import NoteExportRequest, NoteExportResponse
from ft.proto.fine_tuning_studio_pb2 import (
    AdapterMetadata,
    AddAdapterRequest,
    AddAdapterResponse,
    GetAdapterRequest,
    GetAdapterResponse,
    ListAdaptersRequest,
    ListAdaptersResponse,
    RemoveAdapterRequest,
    RemoveAdapterResponse,
)
from services.adapters.request import AdapterRequest
from services.adapters.service import AdapterService
from services.adapters.store import Adapter, AdapterStore


class AdaptersServicer:
    """Request to one call of the domain to response."""

    def __init__(self, service: AdapterService, adapters: AdapterStore) -> None:
        self._service = service
        self._adapters = adapters
        self._form = MessageForm(AdapterMetadata, Adapter.table())
        self._list = TableList(adapters, ListAdaptersResponse, self._form)

    async def ListAdapters(self, request: ListAdaptersRequest) -> bytes:
        return await self._list.answer(request)

    async def GetAdapter(self, request: GetAdapterRequest) -> GetAdapterResponse:
        return GetAdapterResponse(adapter=self._adapters.message(self._form, request.id))

    async def AddAdapter(self, request: AddAdapterRequest) -> AddAdapterResponse:
        adapter = await self._service.add(request=AdapterRequest.from_message(request))
        return AddAdapterResponse(
            adapter=self._form.of_record(adapter),
            notices=await asyncio.to_thread(self._service.notices, adapter),
        )

    async def RemoveAdapter(self, request: RemoveAdapterRequest) -> RemoveAdapterResponse:
        await self._service.remove(request.id)
        return RemoveAdapterResponse()

    async def NoteExport(self, request: NoteExportRequest) -> NoteExportResponse:
        await self._service.note_export(
            request.adapter_id,
            request.cml_registered_model_id,
            request.mlflow_experiment_id,
            request.mlflow_run_id,
        )
        return NoteExportResponse()
