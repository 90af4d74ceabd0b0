"""The RPCs of the adapters service."""

import asyncio

from chassis.store.convert import to_message
from chassis.store.idempotency import Repeats
from chassis.store.lists import TableList
from ft.enums import AdapterType
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
from services.adapters.request import AdapterWanted
from services.adapters.service import AdapterService
from services.adapters.store import Adapter, AdapterStore


class AdaptersServicer:
    """Request to one call of the domain to response."""

    def __init__(self, service: AdapterService, adapters: AdapterStore) -> None:
        self._service = service
        self._list = TableList(adapters, ListAdaptersResponse)
        self._repeats = Repeats(adapters)

    async def ListAdapters(self, request: ListAdaptersRequest) -> ListAdaptersResponse | bytes:
        return self._list.answer(request)

    async def GetAdapter(self, request: GetAdapterRequest) -> GetAdapterResponse:
        adapter = self._service.get(request.id)
        return GetAdapterResponse(adapter=to_message(AdapterMetadata, adapter))

    async def AddAdapter(self, request: AddAdapterRequest) -> AddAdapterResponse:
        adapter = await self._repeats.once(request, lambda: self._added(request))
        return AddAdapterResponse(
            adapter=to_message(AdapterMetadata, adapter),
            notices=await asyncio.to_thread(self._service.notices, adapter),
        )

    async def _added(self, request: AddAdapterRequest) -> Adapter:
        wanted = AdapterWanted(
            type=request.type or AdapterType.PROJECT,
            name=request.name.strip(),
            model_id=request.model_id.strip(),
            location=request.location.strip(),
            huggingface_name=request.huggingface_name.strip(),
            fine_tuning_job_id=request.fine_tuning_job_id,
            prompt_id=request.prompt_id,
        )
        return await self._service.add(wanted)

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
