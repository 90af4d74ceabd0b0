"""The RPCs about export jobs."""

from collections.abc import AsyncIterator

from chassis.convert import to_message
from chassis.lists import Listing
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    CancelExportJobRequest,
    CancelExportJobResponse,
    GetExportJobRequest,
    GetExportJobResponse,
    ListExportJobsRequest,
    ListExportJobsResponse,
    ListJobEventsRequest,
    ListJobEventsResponse,
    RegisterExportRequest,
    RegisterExportResponse,
    RemoveExportJobRequest,
    RemoveExportJobResponse,
    ReportJobEventsRequest,
    ReportJobEventsResponse,
    TailLogsRequest,
    TailLogsResponse,
    WatchJobRequest,
    WatchJobResponse,
)
from ft.proto.fine_tuning_studio_pb2 import ModelMetadata
from jobs.lifecycle import JobLifecycle
from jobs.link import JobLink
from services.models.exports.convert import to_metadata
from services.models.exports.registration import Made, Registration
from services.models.exports.store import ExportJob


class ExportJobsServicer:
    """Request to one call of the domain to response."""

    def __init__(
        self,
        registration: Registration,
        lifecycle: JobLifecycle[ExportJob],
        link: JobLink[ExportJob],
    ) -> None:
        self._registration = registration
        self._lifecycle = lifecycle
        self._link = link
        self._list = Listing(lifecycle.records, ListExportJobsResponse, to_metadata, also=["state"])

    async def ListExportJobs(
        self, request: ListExportJobsRequest
    ) -> ListExportJobsResponse | bytes:
        return self._list.answer(request)

    async def GetExportJob(self, request: GetExportJobRequest) -> GetExportJobResponse:
        return GetExportJobResponse(export_job=to_metadata(self._lifecycle.get(request.id)))

    async def CancelExportJob(self, request: CancelExportJobRequest) -> CancelExportJobResponse:
        job = await self._lifecycle.cancel(request.id, request.reason)
        return CancelExportJobResponse(export_job=to_metadata(job))

    async def RemoveExportJob(self, request: RemoveExportJobRequest) -> RemoveExportJobResponse:
        await self._lifecycle.remove(request.id)
        return RemoveExportJobResponse()

    async def RegisterExport(self, request: RegisterExportRequest) -> RegisterExportResponse:
        made = Made(request.mlflow_experiment_id, request.mlflow_run_id, request.mlflow_model_path)
        model = await self._registration.register(request.job_id, request.token, made)
        return RegisterExportResponse(model=to_message(ModelMetadata, model))

    def WatchJob(self, request: WatchJobRequest) -> AsyncIterator[WatchJobResponse]:
        return self._lifecycle.events.follow(request.job_id, request.cursor)

    async def ListJobEvents(self, request: ListJobEventsRequest) -> ListJobEventsResponse:
        events = self._lifecycle.events.list(request.job_id, request.cursor, request.page_size)
        return ListJobEventsResponse(events=events)

    def TailLogs(self, request: TailLogsRequest) -> AsyncIterator[TailLogsResponse]:
        return self._lifecycle.tail(request.job_id, request.offset, request.follow)

    async def ReportJobEvents(self, request: ReportJobEventsRequest) -> ReportJobEventsResponse:
        known = await self._link.report(request.job_id, request.token, request.offset, request.data)
        return ReportJobEventsResponse(next_offset=known)
