"""The RPCs of the models service."""

from chassis.convert import to_message
from chassis.errors import Violations
from chassis.lists import Listing
from chassis.repeats import Repeats
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
from jobs.lifecycle import JobLifecycle
from jobs.link import JobLink
from services.models.export import ModelExport
from services.models.exports.convert import from_request
from services.models.exports.registration import Registration
from services.models.exports.request import BY_JOB
from services.models.exports.service import ExportJobs
from services.models.exports.servicer import ExportJobsServicer
from services.models.exports.store import ExportJob
from services.models.service import ModelService
from services.models.serving import Serving
from services.models.store import Model, ModelStore


class ModelsServicer(ExportJobsServicer):
    """Request to one call of the domain to response."""

    def __init__(
        self,
        service: ModelService,
        export: ModelExport,
        exports: ExportJobs,
        models: ModelStore,
        registration: Registration,
        lifecycle: JobLifecycle[ExportJob],
        link: JobLink[ExportJob],
    ) -> None:
        super().__init__(registration, lifecycle, link)
        self._service = service
        self._export = export
        self._exports = exports
        self._models = Listing(models, ListModelsResponse)
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
        if request.type in BY_JOB:
            made.export_job_id = (await self._exports.start(from_request(request))).id
        else:
            made.cml_model_id = await self._serve(request)
        return made

    async def _serve(self, request: ExportModelRequest) -> str:
        return await self._export.export(
            request.type,
            request.base_model_id,
            request.adapter_id,
            request.model_name,
            request.model_description,
            request.generation_config,
            _serving(request),
        )

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


def _serving(request: ExportModelRequest) -> Serving:
    names = (name for name in ("cpu", "memory", "gpu") if request.HasField(name))
    return Serving(
        disable_authentication=request.disable_authentication,
        **{name: getattr(request, name) for name in names},
    )
