"""The RPCs of the models service."""

from chassis.rpc.errors import Violations
from chassis.store.convert import to_message
from chassis.store.idempotency import Repeats
from chassis.store.lists import TableList
from ft.enums import ModelType
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
    ModelMetadata,
    RemoveModelRequest,
    RemoveModelResponse,
)
from jobs.execution.report_receiver import ReportReceiver
from jobs.lifecycle import JobLifecycle
from services.models.exports.convert import from_request
from services.models.exports.registration import Registration
from services.models.exports.served import ServedExports
from services.models.exports.service import ExportJobs
from services.models.exports.servicer import ExportJobsServicer
from services.models.exports.store import ExportJob
from services.models.service import ModelService
from services.models.store import Model, ModelStore


class ModelsServicer(ExportJobsServicer):
    """Request to one call of the domain to response."""

    def __init__(
        self,
        service: ModelService,
        served: ServedExports,
        exports: ExportJobs,
        models: ModelStore,
        registration: Registration,
        lifecycle: JobLifecycle[ExportJob],
        receiver: ReportReceiver[ExportJob],
    ) -> None:
        super().__init__(registration, lifecycle, receiver)
        self._service = service
        self._served = served
        self._exports = exports
        self._models = TableList(models, ListModelsResponse)
        self._repeats = Repeats(models)

    async def ListModels(self, request: ListModelsRequest) -> ListModelsResponse | bytes:
        return self._models.answer(request)

    async def GetModel(self, request: GetModelRequest) -> GetModelResponse:
        model = self._service.get(request.id)
        return GetModelResponse(model=to_message(ModelMetadata, model))

    async def AddModel(self, request: AddModelRequest) -> AddModelResponse:
        model = await self._repeats.once(request, lambda: self._added(request))
        return AddModelResponse(model=to_message(ModelMetadata, model))

    async def ExportModel(self, request: ExportModelRequest) -> ExportModelResponse:
        made = ExportModelResponse(
            base_model_id=request.base_model_id, adapter_id=request.adapter_id
        )
        wanted = from_request(request)
        # Either refuses an id that has come with another request.
        if wanted.by_job:
            self._served.repeats.added(wanted.key)
            made.export_job_id = (await self._exports.start(wanted)).id
        else:
            self._lifecycle.started_before(wanted.request_id, wanted.digest)
            made.cml_model_id = await self._served.start(wanted)
        return made

    async def RemoveModel(self, request: RemoveModelRequest) -> RemoveModelResponse:
        await self._service.remove(request.id)
        return RemoveModelResponse()

    async def GetModelFamily(self, request: GetModelFamilyRequest) -> GetModelFamilyResponse:
        family = await self._service.family(request.model_id, request.name)
        return GetModelFamilyResponse(family=family)

    async def _added(self, request: AddModelRequest) -> Model:
        found = Violations()
        found.one_of("type", request.type, ModelType)
        found.raise_if_any()
        match request.type:
            case ModelType.HUGGINGFACE:
                return await self._service.add_from_hub(request.huggingface_name)
            case ModelType.PROJECT:
                return await self._service.add_from_directory(request.location, request.name)
        return await self._service.add_from_registry(request.model_registry_id)
