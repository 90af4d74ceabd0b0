"""The RPCs about export jobs."""

from chassis.store.lists import TableList
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    CancelExportJobRequest,
    CancelExportJobResponse,
    GetExportJobRequest,
    GetExportJobResponse,
    ListExportJobsRequest,
    ListExportJobsResponse,
    RegisterExportRequest,
    RegisterExportResponse,
    RemoveExportJobRequest,
    RemoveExportJobResponse,
)
from jobs.execution.report_receiver import ReportReceiver
from jobs.lifecycle import JobLifecycle
from jobs.servicer import JobServicer
from services.models import convert as models
from services.models.exports.convert import METADATA
from services.models.exports.registration import ExportRegistration, LoggedModel
from services.models.exports.store import ExportJob


class ExportJobsServicer(JobServicer[ExportJob]):
    """Request to one call of the domain to response."""

    def __init__(
        self,
        registration: ExportRegistration,
        lifecycle: JobLifecycle[ExportJob],
        receiver: ReportReceiver[ExportJob],
    ) -> None:
        super().__init__(lifecycle, receiver)
        self._registration = registration
        self._list = TableList(lifecycle.records, ListExportJobsResponse, METADATA, also=["state"])

    async def ListExportJobs(self, request: ListExportJobsRequest) -> bytes:
        return await self._list.answer(request)

    async def GetExportJob(self, request: GetExportJobRequest) -> GetExportJobResponse:
        job = self._lifecycle.message(METADATA, request.id)
        return GetExportJobResponse(export_job=job)

    async def CancelExportJob(self, request: CancelExportJobRequest) -> CancelExportJobResponse:
        job = await self._lifecycle.cancel(request.id, request.reason)
        return CancelExportJobResponse(export_job=METADATA.of_record(job))

    async def RemoveExportJob(self, request: RemoveExportJobRequest) -> RemoveExportJobResponse:
        await self._lifecycle.remove(request.id)
        return RemoveExportJobResponse()

    async def RegisterExport(self, request: RegisterExportRequest) -> RegisterExportResponse:
        logged = LoggedModel(
            request.mlflow_experiment_id, request.mlflow_run_id, request.mlflow_model_path
        )
        model = await self._registration.register(request.job_id, request.token, logged)
        return RegisterExportResponse(model=models.METADATA.of_record(model))
