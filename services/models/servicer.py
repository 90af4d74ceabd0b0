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
from services.models.export import ModelExport
from services.models.service import ModelService
from services.models.store import Model, ModelStore


class ModelsServicer:
    """Request to one call of the domain to response."""

    def __init__(self, service: ModelService, export: ModelExport, models: ModelStore) -> None:
        self._service = service
        self._export = export
        self._list = Listing(models, ListModelsResponse)
        self._repeats = Repeats(models)

    async def ListModels(self, request: ListModelsRequest) -> ListModelsResponse | bytes:
        return self._list.answer(request)

    async def GetModel(self, request: GetModelRequest) -> GetModelResponse:
        model = self._service.get(request.id)
        return GetModelResponse(model=to_message(ModelMetadata, model))

    async def AddModel(self, request: AddModelRequest) -> AddModelResponse:
        model = await self._repeats.once(request, lambda: self._added(request))
        return AddModelResponse(model=to_message(ModelMetadata, model))

    async def ExportModel(self, request: ExportModelRequest) -> ExportModelResponse:
        await self._export.export(
            request.type,
            request.base_model_id,
            request.adapter_id,
            request.model_name,
            request.model_description,
            request.generation_config,
        )
        return ExportModelResponse(
            base_model_id=request.base_model_id, adapter_id=request.adapter_id
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
