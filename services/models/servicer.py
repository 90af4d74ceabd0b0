"""The RPCs of the models service."""

from chassis.store.lists import TableList
from ft.proto.domains_pb2 import GetModelFamilyRequest, GetModelFamilyResponse
from ft.proto.fine_tuning_studio_pb2 import (
    AddModelRequest,
    AddModelResponse,
    ExportModelRequest,
    ExportModelResponse,
    GetModelRequest,
    GetModelResponse,
    ListModelsRequest,
    ListModelsResponse,
    RemoveModelRequest,
    RemoveModelResponse,
)
from jobs.execution.report_receiver import ReportReceiver
from jobs.lifecycle import JobLifecycle
from services.models.convert import METADATA
from services.models.exports.registration import ExportRegistration
from services.models.exports.request import ExportRequest
from services.models.exports.service import ExportService
from services.models.exports.servicer import ExportJobsServicer
from services.models.exports.store import ExportJob
from services.models.request import ModelRequest
from services.models.service import ModelService
from services.models.store import ModelStore


class ModelsServicer(ExportJobsServicer):
    """Request to one call of the domain to response."""

    def __init__(
        self,
        service: ModelService,
        exports: ExportService,
        models: ModelStore,
        registration: ExportRegistration,
        lifecycle: JobLifecycle[ExportJob],
        receiver: ReportReceiver[ExportJob],
    ) -> None:
        super().__init__(registration, lifecycle, receiver)
        self._service = service
        self._exports = exports
        self._models = models
        self._model_list = TableList(models, ListModelsResponse, METADATA)

    async def ListModels(self, request: ListModelsRequest) -> bytes:
        return await self._model_list.answer(request)

    async def GetModel(self, request: GetModelRequest) -> GetModelResponse:
        return GetModelResponse(model=self._models.message(METADATA, request.id))

    async def AddModel(self, request: AddModelRequest) -> AddModelResponse:
        model = await self._service.add(request=ModelRequest.from_message(request))
        return AddModelResponse(model=METADATA.of_record(model))

    async def ExportModel(self, request: ExportModelRequest) -> ExportModelResponse:
        started = await self._exports.start(request=ExportRequest.from_message(request))
        return ExportModelResponse(
            base_model_id=request.base_model_id,
            adapter_id=request.adapter_id,
            export_job_id=started.job_id,
            cml_model_id=started.model_id,
        )

    async def RemoveModel(self, request: RemoveModelRequest) -> RemoveModelResponse:
        await self._service.remove(request.id)
        return RemoveModelResponse()

    async def GetModelFamily(self, request: GetModelFamilyRequest) -> GetModelFamilyResponse:
        family = await self._service.family(request.model_id, request.name)
        return GetModelFamilyResponse(family=family)
