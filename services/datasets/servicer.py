"""The RPCs of the datasets service."""

from chassis.rpc import context
from chassis.store.forms import MessageForm
from chassis.store.lists import TableList
from ft.proto.domains_pb2 import FindColumnsRequest, FindColumnsResponse
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
from services.datasets.request import DatasetRequest
from services.datasets.service import DatasetService
from services.datasets.store import Dataset, DatasetStore

MAX_LOOK_SECONDS = 20.0
"""Most seconds for reading the column names of a file."""
ANSWER_SECONDS = 2.0
"""Seconds of a call's time that are reserved for its answer."""


class DatasetsServicer:
    """Request to one call of the domain to response."""

    def __init__(self, service: DatasetService, datasets: DatasetStore) -> None:
        self._service = service
        self._datasets = datasets
        self._form = MessageForm(DatasetMetadata, Dataset.table())
        self._list = TableList(datasets, ListDatasetsResponse, self._form)

    async def ListDatasets(self, request: ListDatasetsRequest) -> bytes:
        return await self._list.answer(request)

    async def GetDataset(self, request: GetDatasetRequest) -> GetDatasetResponse:
        return GetDatasetResponse(dataset=self._datasets.message(self._form, request.id))

    async def AddDataset(self, request: AddDatasetRequest) -> AddDatasetResponse:
        dataset = await self._service.add(request=DatasetRequest.from_message(request))
        return AddDatasetResponse(
            dataset=self._form.of_record(dataset),
            notices=await self._service.notices(dataset),
        )

    async def FindColumns(self, request: FindColumnsRequest) -> FindColumnsResponse:
        seconds = context.current(MAX_LOOK_SECONDS).remaining() - ANSWER_SECONDS
        found = await self._service.find_columns(request.dataset_id, min(seconds, MAX_LOOK_SECONDS))
        return FindColumnsResponse(columns=found.names, unread=found.unread)

    async def RemoveDataset(self, request: RemoveDatasetRequest) -> RemoveDatasetResponse:
        await self._service.remove(request.id, request.remove_prompts)
        return RemoveDatasetResponse()
