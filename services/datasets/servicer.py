"""The RPCs of the datasets service."""

from chassis.convert import to_message
from chassis.lists import Listing
from chassis.repeats import Repeats
from ft.proto.fine_tuning_studio_pb2 import (
    AddDatasetRequest,
    AddDatasetResponse,
    DatasetMetadata,
    GetDatasetRequest,
    GetDatasetResponse,
    ListDatasetsRequest,
    ListDatasetsResponse,
    RemoveDatasetRequest,
    RemoveDatasetResponse,
)
from services.datasets.service import DatasetService
from services.datasets.store import DatasetStore


class DatasetsServicer:
    """Request to one call of the domain to response."""

    def __init__(self, service: DatasetService, datasets: DatasetStore) -> None:
        self._service = service
        self._list = Listing(datasets, ListDatasetsResponse)
        self._repeats = Repeats(datasets)

    async def ListDatasets(self, request: ListDatasetsRequest) -> ListDatasetsResponse | bytes:
        return self._list.answer(request)

    async def GetDataset(self, request: GetDatasetRequest) -> GetDatasetResponse:
        dataset = self._service.get(request.id)
        return GetDatasetResponse(dataset=to_message(DatasetMetadata, dataset))

    async def AddDataset(self, request: AddDatasetRequest) -> AddDatasetResponse:
        dataset = await self._repeats.once(
            request,
            lambda: self._service.add(
                request.type,
                request.huggingface_name,
                request.location,
                request.name,
                dict(request.roles),
            ),
        )
        return AddDatasetResponse(
            dataset=to_message(DatasetMetadata, dataset),
            notices=await self._service.notices(dataset),
        )

    async def RemoveDataset(self, request: RemoveDatasetRequest) -> RemoveDatasetResponse:
        await self._service.remove(request.id, request.remove_prompts)
        return RemoveDatasetResponse()
