"""The RPCs of the fine-tuning service."""

from chassis.store.lists import TableList
from ft.proto.domains_pb2 import ListJobConfigIdsRequest, ListJobConfigIdsResponse
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    CancelFineTuningJobRequest,
    CancelFineTuningJobResponse,
    GetJobCapacityRequest,
    GetJobCapacityResponse,
    ResumeFineTuningJobRequest,
    ResumeFineTuningJobResponse,
    ValidateFineTuningJobRequest,
    ValidateFineTuningJobResponse,
)
from ft.proto.fine_tuning_studio_pb2 import (
    GetDatasetSplitByAdapterMetadata,
    GetDatasetSplitByAdapterRequest,
    GetDatasetSplitByAdapterResponse,
    GetFineTuningJobRequest,
    GetFineTuningJobResponse,
    ListFineTuningJobsRequest,
    ListFineTuningJobsResponse,
    RemoveFineTuningJobRequest,
    RemoveFineTuningJobResponse,
    StartFineTuningJobRequest,
    StartFineTuningJobResponse,
)
from jobs.execution.report_receiver import ReportReceiver
from jobs.lifecycle import JobLifecycle
from jobs.servicer import JobServicer
from services.fine_tuning.convert import LISTED, METADATA
from services.fine_tuning.request import FineTuningRequest
from services.fine_tuning.service import FineTuningService
from services.fine_tuning.store import FineTuningJob
from services.fine_tuning.validate import FineTuningValidator


class FineTuningServicer(JobServicer[FineTuningJob]):
    """Request to one call of the domain to response."""

    def __init__(
        self,
        service: FineTuningService,
        validator: FineTuningValidator,
        lifecycle: JobLifecycle[FineTuningJob],
        receiver: ReportReceiver[FineTuningJob],
    ) -> None:
        super().__init__(lifecycle, receiver)
        self._service = service
        self._validator = validator
        self._list = TableList(
            lifecycle.records, ListFineTuningJobsResponse, LISTED, also=["state"]
        )

    async def ListFineTuningJobs(self, request: ListFineTuningJobsRequest) -> bytes:
        return await self._list.answer(request)

    async def GetFineTuningJob(self, request: GetFineTuningJobRequest) -> GetFineTuningJobResponse:
        job = self._lifecycle.message(METADATA, request.id)
        return GetFineTuningJobResponse(fine_tuning_job=job)

    async def StartFineTuningJob(
        self, request: StartFineTuningJobRequest
    ) -> StartFineTuningJobResponse:
        job = await self._service.start(request=FineTuningRequest.from_message(request))
        return StartFineTuningJobResponse(fine_tuning_job=METADATA.of_record(job))

    async def ValidateFineTuningJob(
        self, request: ValidateFineTuningJobRequest
    ) -> ValidateFineTuningJobResponse:
        return await self._validator.validate(
            request=FineTuningRequest.from_message(request.request)
        )

    async def GetJobCapacity(self, request: GetJobCapacityRequest) -> GetJobCapacityResponse:
        return await self._service.capacity()

    async def RemoveFineTuningJob(
        self, request: RemoveFineTuningJobRequest
    ) -> RemoveFineTuningJobResponse:
        await self._lifecycle.remove(request.id)
        return RemoveFineTuningJobResponse()

    async def GetDatasetSplitByAdapter(
        self, request: GetDatasetSplitByAdapterRequest
    ) -> GetDatasetSplitByAdapterResponse:
        split = await self._service.split_of(request.adapter_id)
        return GetDatasetSplitByAdapterResponse(
            response=GetDatasetSplitByAdapterMetadata(
                dataset_fraction=split.dataset_fraction, train_test_split=split.train_test_split
            )
        )

    async def ResumeFineTuningJob(
        self, request: ResumeFineTuningJobRequest
    ) -> ResumeFineTuningJobResponse:
        job = await self._service.resume(request.id)
        return ResumeFineTuningJobResponse(fine_tuning_job=METADATA.of_record(job))

    async def CancelFineTuningJob(
        self, request: CancelFineTuningJobRequest
    ) -> CancelFineTuningJobResponse:
        job = await self._lifecycle.cancel(request.id, request.reason)
        return CancelFineTuningJobResponse(fine_tuning_job=METADATA.of_record(job))

    async def ListJobConfigIds(self, request: ListJobConfigIdsRequest) -> ListJobConfigIdsResponse:
        return ListJobConfigIdsResponse(config_ids=self._lifecycle.get(request.job_id).config_ids())
