"""The RPCs of the evaluation service."""

from collections.abc import AsyncIterator

from chassis.store.lists import TableList
from ft.job_protocol.evaluation_table import TABLE_FILE
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    CancelEvaluationJobRequest,
    CancelEvaluationJobResponse,
    StreamEvaluationRowsRequest,
    StreamEvaluationRowsResponse,
    ValidateEvaluationJobRequest,
    ValidateEvaluationJobResponse,
)
from ft.proto.fine_tuning_studio_pb2 import (
    GetEvaluationJobRequest,
    GetEvaluationJobResponse,
    ListEvaluationJobsRequest,
    ListEvaluationJobsResponse,
    RemoveEvaluationJobRequest,
    RemoveEvaluationJobResponse,
    StartEvaluationJobRequest,
    StartEvaluationJobResponse,
)
from jobs.execution.report_receiver import ReportReceiver
from jobs.lifecycle import JobLifecycle
from jobs.servicer import JobServicer
from services.evaluation import table
from services.evaluation.convert import METADATA
from services.evaluation.request import EvaluationRequest
from services.evaluation.service import EvaluationService
from services.evaluation.store import EvaluationJob
from services.evaluation.validate import EvaluationValidator


class EvaluationServicer(JobServicer[EvaluationJob]):
    """Request to one call of the domain to response."""

    def __init__(
        self,
        service: EvaluationService,
        validator: EvaluationValidator,
        lifecycle: JobLifecycle[EvaluationJob],
        receiver: ReportReceiver[EvaluationJob],
    ) -> None:
        super().__init__(lifecycle, receiver)
        self._service = service
        self._validator = validator
        self._list = TableList(
            lifecycle.records, ListEvaluationJobsResponse, METADATA, also=["state"]
        )

    async def ListEvaluationJobs(self, request: ListEvaluationJobsRequest) -> bytes:
        return await self._list.answer(request)

    async def GetEvaluationJob(self, request: GetEvaluationJobRequest) -> GetEvaluationJobResponse:
        job = self._lifecycle.message(METADATA, request.id)
        return GetEvaluationJobResponse(evaluation_job=job)

    async def StartEvaluationJob(
        self, request: StartEvaluationJobRequest
    ) -> StartEvaluationJobResponse:
        started = await self._service.start(request=EvaluationRequest.from_message(request))
        jobs = [METADATA.of_record(job) for job in started]
        return StartEvaluationJobResponse(evaluation_job=jobs[-1], evaluation_jobs=jobs)

    async def ValidateEvaluationJob(
        self, request: ValidateEvaluationJobRequest
    ) -> ValidateEvaluationJobResponse:
        return await self._validator.validate(
            request=EvaluationRequest.from_message(request.request)
        )

    async def RemoveEvaluationJob(
        self, request: RemoveEvaluationJobRequest
    ) -> RemoveEvaluationJobResponse:
        await self._lifecycle.remove(request.id)
        return RemoveEvaluationJobResponse()

    async def CancelEvaluationJob(
        self, request: CancelEvaluationJobRequest
    ) -> CancelEvaluationJobResponse:
        job = await self._lifecycle.cancel(request.id, request.reason)
        return CancelEvaluationJobResponse(evaluation_job=METADATA.of_record(job))

    async def StreamEvaluationRows(
        self, request: StreamEvaluationRowsRequest
    ) -> AsyncIterator[StreamEvaluationRowsResponse]:
        file = self._lifecycle.file(self._lifecycle.get(request.job_id), TABLE_FILE)
        for answer in table.answers(file, request.offset):
            yield answer
