"""The studio's RPCs and lists as methods of a client that awaits.

Generated from proto/ by `python shared/ft/codegen/rpcs.py`: do not edit.

Every RPC takes `timeout` in seconds, the client's own where it is None; for a stream it is that
of the whole stream, and None sets no limit that matters. Closing a stream's iterator ends the
call. All raise `ft.errors.StudioError`.

`get_<items>` asks for everything at once. `iter_<items>` asks for one page after the other while
it is iterated; `filter` keeps those whose fields have the given values, such as
{"type": "project"}, `order_by` sorts, as in "name" or "type, created_at desc". A studio that
knows no pages answers with everything at once, in its own order; the filter is then applied here,
as far as it names fields that such a studio has.
"""

# The methods are called as the contract calls its RPCs, and a deadline travels with the call.
# ruff: noqa: ASYNC109, N802
# What gRPC's deserializers return is typed here and nowhere else.
# mypy: disable-error-code="no-any-return"

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from ft.proto import fine_tuning_studio_database_pb2 as database
from ft.proto import fine_tuning_studio_jobs_pb2 as jobs
from ft.proto import fine_tuning_studio_pb2 as studio


class AsyncRpcs(ABC):
    """Every RPC under its own name, and the lists as Python has them."""

    @abstractmethod
    async def _unary(self, method: str, request: Any, timeout: float | None) -> Any: ...

    @abstractmethod
    def _stream(
        self, method: str, request: Any, timeout: float | None
    ) -> AsyncGenerator[Any, None]: ...

    @abstractmethod
    def _items(self, method: str, request: Any) -> AsyncIterator[Any]: ...

    async def ListDatasets(
        self, request: studio.ListDatasetsRequest, *, timeout: float | None = None
    ) -> studio.ListDatasetsResponse:
        """All registered datasets, oldest first."""
        return await self._unary("ListDatasets", request, timeout)

    async def GetDataset(
        self, request: studio.GetDatasetRequest, *, timeout: float | None = None
    ) -> studio.GetDatasetResponse:
        """One dataset. NOT_FOUND if the id is unknown."""
        return await self._unary("GetDataset", request, timeout)

    async def AddDataset(
        self, request: studio.AddDatasetRequest, *, timeout: float | None = None
    ) -> studio.AddDatasetResponse:
        """Registers a hub dataset or local files. Column names are read at once, rows are not."""
        return await self._unary("AddDataset", request, timeout)

    async def RemoveDataset(
        self, request: studio.RemoveDatasetRequest, *, timeout: float | None = None
    ) -> studio.RemoveDatasetResponse:
        """Forgets a dataset, and its prompts on request. Removing an unknown id succeeds."""
        return await self._unary("RemoveDataset", request, timeout)

    async def GetDatasetSplitByAdapter(
        self, request: studio.GetDatasetSplitByAdapterRequest, *, timeout: float | None = None
    ) -> studio.GetDatasetSplitByAdapterResponse:
        """Returns the shares by which the data was sampled and split for the training of an
        adapter, so that an evaluation can leave out the rows that were trained on.
        """
        return await self._unary("GetDatasetSplitByAdapter", request, timeout)

    async def ListModels(
        self, request: studio.ListModelsRequest, *, timeout: float | None = None
    ) -> studio.ListModelsResponse:
        """All registered models, oldest first."""
        return await self._unary("ListModels", request, timeout)

    async def GetModel(
        self, request: studio.GetModelRequest, *, timeout: float | None = None
    ) -> studio.GetModelResponse:
        """One model. NOT_FOUND if the id is unknown."""
        return await self._unary("GetModel", request, timeout)

    async def AddModel(
        self, request: studio.AddModelRequest, *, timeout: float | None = None
    ) -> studio.AddModelResponse:
        """Registers a base model from the hub, the workspace's model registry or a local
        directory.
        """
        return await self._unary("AddModel", request, timeout)

    async def ExportModel(
        self, request: studio.ExportModelRequest, *, timeout: float | None = None
    ) -> studio.ExportModelResponse:
        """Exports a base model with an adapter: to the model registry, to model serving, or into
        one directory of the project (merged).
        """
        return await self._unary("ExportModel", request, timeout)

    async def RemoveModel(
        self, request: studio.RemoveModelRequest, *, timeout: float | None = None
    ) -> studio.RemoveModelResponse:
        """Forgets a model. Removing an unknown id succeeds."""
        return await self._unary("RemoveModel", request, timeout)

    async def ListAdapters(
        self, request: studio.ListAdaptersRequest, *, timeout: float | None = None
    ) -> studio.ListAdaptersResponse:
        """All registered adapters, oldest first."""
        return await self._unary("ListAdapters", request, timeout)

    async def GetAdapter(
        self, request: studio.GetAdapterRequest, *, timeout: float | None = None
    ) -> studio.GetAdapterResponse:
        """One adapter. NOT_FOUND if the id is unknown."""
        return await self._unary("GetAdapter", request, timeout)

    async def AddAdapter(
        self, request: studio.AddAdapterRequest, *, timeout: float | None = None
    ) -> studio.AddAdapterResponse:
        """Registers an adapter for a known model."""
        return await self._unary("AddAdapter", request, timeout)

    async def RemoveAdapter(
        self, request: studio.RemoveAdapterRequest, *, timeout: float | None = None
    ) -> studio.RemoveAdapterResponse:
        """Forgets an adapter; its files stay. Removing an unknown id succeeds."""
        return await self._unary("RemoveAdapter", request, timeout)

    async def ListPrompts(
        self, request: studio.ListPromptsRequest, *, timeout: float | None = None
    ) -> studio.ListPromptsResponse:
        """All prompts, oldest first."""
        return await self._unary("ListPrompts", request, timeout)

    async def GetPrompt(
        self, request: studio.GetPromptRequest, *, timeout: float | None = None
    ) -> studio.GetPromptResponse:
        """One prompt. NOT_FOUND if the id is unknown."""
        return await self._unary("GetPrompt", request, timeout)

    async def AddPrompt(
        self, request: studio.AddPromptRequest, *, timeout: float | None = None
    ) -> studio.AddPromptResponse:
        """Stores a prompt under the id that the caller chose."""
        return await self._unary("AddPrompt", request, timeout)

    async def RemovePrompt(
        self, request: studio.RemovePromptRequest, *, timeout: float | None = None
    ) -> studio.RemovePromptResponse:
        """Forgets a prompt. Removing an unknown id succeeds."""
        return await self._unary("RemovePrompt", request, timeout)

    async def ListFineTuningJobs(
        self, request: studio.ListFineTuningJobsRequest, *, timeout: float | None = None
    ) -> studio.ListFineTuningJobsResponse:
        """All fine-tuning jobs, oldest first."""
        return await self._unary("ListFineTuningJobs", request, timeout)

    async def GetFineTuningJob(
        self, request: studio.GetFineTuningJobRequest, *, timeout: float | None = None
    ) -> studio.GetFineTuningJobResponse:
        """One fine-tuning job. NOT_FOUND if the id is unknown."""
        return await self._unary("GetFineTuningJob", request, timeout)

    async def StartFineTuningJob(
        self, request: studio.StartFineTuningJobRequest, *, timeout: float | None = None
    ) -> studio.StartFineTuningJobResponse:
        """Records a fine-tuning job and starts it in the workspace."""
        return await self._unary("StartFineTuningJob", request, timeout)

    async def RemoveFineTuningJob(
        self, request: studio.RemoveFineTuningJobRequest, *, timeout: float | None = None
    ) -> studio.RemoveFineTuningJobResponse:
        """Forgets a fine-tuning job and takes it out of the workspace. Removing an unknown id
        succeeds.
        """
        return await self._unary("RemoveFineTuningJob", request, timeout)

    async def ListEvaluationJobs(
        self, request: studio.ListEvaluationJobsRequest, *, timeout: float | None = None
    ) -> studio.ListEvaluationJobsResponse:
        """All evaluation jobs, oldest first."""
        return await self._unary("ListEvaluationJobs", request, timeout)

    async def GetEvaluationJob(
        self, request: studio.GetEvaluationJobRequest, *, timeout: float | None = None
    ) -> studio.GetEvaluationJobResponse:
        """One evaluation job. NOT_FOUND if the id is unknown."""
        return await self._unary("GetEvaluationJob", request, timeout)

    async def StartEvaluationJob(
        self, request: studio.StartEvaluationJobRequest, *, timeout: float | None = None
    ) -> studio.StartEvaluationJobResponse:
        """Starts one evaluation job per combination of model and adapter."""
        return await self._unary("StartEvaluationJob", request, timeout)

    async def RemoveEvaluationJob(
        self, request: studio.RemoveEvaluationJobRequest, *, timeout: float | None = None
    ) -> studio.RemoveEvaluationJobResponse:
        """Forgets an evaluation job and takes it out of the workspace. Removing an unknown id
        succeeds.
        """
        return await self._unary("RemoveEvaluationJob", request, timeout)

    async def ListConfigs(
        self, request: studio.ListConfigsRequest, *, timeout: float | None = None
    ) -> studio.ListConfigsResponse:
        """Shipped and user configs, oldest first, filtered by the fields that are set."""
        return await self._unary("ListConfigs", request, timeout)

    async def GetConfig(
        self, request: studio.GetConfigRequest, *, timeout: float | None = None
    ) -> studio.GetConfigResponse:
        """One config. NOT_FOUND if the id is unknown."""
        return await self._unary("GetConfig", request, timeout)

    async def AddConfig(
        self, request: studio.AddConfigRequest, *, timeout: float | None = None
    ) -> studio.AddConfigResponse:
        """Stores a config, or returns the stored one with the same content."""
        return await self._unary("AddConfig", request, timeout)

    async def RemoveConfig(
        self, request: studio.RemoveConfigRequest, *, timeout: float | None = None
    ) -> studio.RemoveConfigResponse:
        """Forgets a config. Jobs keep their copies. Removing an unknown id succeeds."""
        return await self._unary("RemoveConfig", request, timeout)

    async def ExportDatabase(
        self, request: studio.ExportDatabaseRequest, *, timeout: float | None = None
    ) -> studio.ExportDatabaseResponse:
        """Returns all tables of the studio as one JSON document."""
        return await self._unary("ExportDatabase", request, timeout)

    async def ImportDatabase(
        self, request: studio.ImportDatabaseRequest, *, timeout: float | None = None
    ) -> studio.ImportDatabaseResponse:
        """Imports a document that ExportDatabase has made. Ids are kept."""
        return await self._unary("ImportDatabase", request, timeout)

    async def ValidateFineTuningJob(
        self, request: jobs.ValidateFineTuningJobRequest, *, timeout: float | None = None
    ) -> jobs.ValidateFineTuningJobResponse:
        """Checks a request without starting the job: every rule of StartFineTuningJob, and the
        rows with the prompt and the tokenizer. Estimates memory and time. Changes nothing.
        """
        return await self._unary("ValidateFineTuningJob", request, timeout)

    async def ValidateEvaluationJob(
        self, request: jobs.ValidateEvaluationJobRequest, *, timeout: float | None = None
    ) -> jobs.ValidateEvaluationJobResponse:
        """Checks a request without starting the jobs, as ValidateFineTuningJob does. Changes
        nothing.
        """
        return await self._unary("ValidateEvaluationJob", request, timeout)

    async def CancelFineTuningJob(
        self, request: jobs.CancelFineTuningJobRequest, *, timeout: float | None = None
    ) -> jobs.CancelFineTuningJobResponse:
        """Ends a fine-tuning job. Answers when its state is STOPPING. The state becomes STOPPED
        when the workspace confirms that the run has ended. A job that has ended does not
        change.
        """
        return await self._unary("CancelFineTuningJob", request, timeout)

    async def CancelEvaluationJob(
        self, request: jobs.CancelEvaluationJobRequest, *, timeout: float | None = None
    ) -> jobs.CancelEvaluationJobResponse:
        """Ends an evaluation job, as CancelFineTuningJob does."""
        return await self._unary("CancelEvaluationJob", request, timeout)

    async def ResumeFineTuningJob(
        self, request: jobs.ResumeFineTuningJobRequest, *, timeout: float | None = None
    ) -> jobs.ResumeFineTuningJobResponse:
        """Starts another attempt at a fine-tuning job that has ended without success. It continues
        from the last complete checkpoint with the same settings and data, or else from the
        beginning.
        """
        return await self._unary("ResumeFineTuningJob", request, timeout)

    async def GetExportJob(
        self, request: jobs.GetExportJobRequest, *, timeout: float | None = None
    ) -> jobs.GetExportJobResponse:
        """One export job, as ExportModel starts them. NOT_FOUND if the id is unknown."""
        return await self._unary("GetExportJob", request, timeout)

    async def ListExportJobs(
        self, request: jobs.ListExportJobsRequest, *, timeout: float | None = None
    ) -> jobs.ListExportJobsResponse:
        """All export jobs, oldest first."""
        return await self._unary("ListExportJobs", request, timeout)

    async def CancelExportJob(
        self, request: jobs.CancelExportJobRequest, *, timeout: float | None = None
    ) -> jobs.CancelExportJobResponse:
        """Ends an export job, as CancelFineTuningJob does."""
        return await self._unary("CancelExportJob", request, timeout)

    async def RemoveExportJob(
        self, request: jobs.RemoveExportJobRequest, *, timeout: float | None = None
    ) -> jobs.RemoveExportJobResponse:
        """Forgets an export job and takes it out of the workspace; what it has exported stays.
        Removing an unknown id succeeds.
        """
        return await self._unary("RemoveExportJob", request, timeout)

    async def RegisterExport(
        self, request: jobs.RegisterExportRequest, *, timeout: float | None = None
    ) -> jobs.RegisterExportResponse:
        """Called by an export job when it has verified its export. Registers it as a model of the
        studio, for model_registry also in the workspace's registry. A repeated call gets the
        same answer. UNAUTHENTICATED unless the token is that of the job's current attempt.
        """
        return await self._unary("RegisterExport", request, timeout)

    async def GetJobCapacity(
        self, request: jobs.GetJobCapacityRequest, *, timeout: float | None = None
    ) -> jobs.GetJobCapacityResponse:
        """Returns the most resources that one job can get, as far as the workspace states them."""
        return await self._unary("GetJobCapacity", request, timeout)

    def WatchJob(
        self, request: jobs.WatchJobRequest, *, timeout: float | None = None
    ) -> AsyncGenerator[jobs.WatchJobResponse, None]:
        """Streams the events of a job of any kind after a cursor, until the job has ended. A
        client that reconnects with its last cursor gets every event exactly once. NOT_FOUND if
        the id is unknown.
        """
        return self._stream("WatchJob", request, timeout)

    async def ListJobEvents(
        self, request: jobs.ListJobEventsRequest, *, timeout: float | None = None
    ) -> jobs.ListJobEventsResponse:
        """Lists the events of a job of any kind. NOT_FOUND if the id is unknown."""
        return await self._unary("ListJobEvents", request, timeout)

    def TailLogs(
        self, request: jobs.TailLogsRequest, *, timeout: float | None = None
    ) -> AsyncGenerator[jobs.TailLogsResponse, None]:
        """The job's log from a byte offset on. With `follow`, until the job has ended. NOT_FOUND
        if the id is unknown.
        """
        return self._stream("TailLogs", request, timeout)

    def StreamEvaluationRows(
        self, request: jobs.StreamEvaluationRowsRequest, *, timeout: float | None = None
    ) -> AsyncGenerator[jobs.StreamEvaluationRowsResponse, None]:
        """Every row that an evaluation job has scored, from `offset` on, in the order of its table
        of results. NOT_FOUND if the id is unknown, FAILED_PRECONDITION as long as there is no
        such table.
        """
        return self._stream("StreamEvaluationRows", request, timeout)

    async def ReportJobEvents(
        self, request: jobs.ReportJobEventsRequest, *, timeout: float | None = None
    ) -> jobs.ReportJobEventsResponse:
        """Called by a job to report a part of its events. A part that is sent again, or was
        already read from the job's folder, counts once. UNAUTHENTICATED unless the token is
        that of the job's current attempt; the error does not show whether the job exists.
        """
        return await self._unary("ReportJobEvents", request, timeout)

    def StreamExport(
        self, request: database.StreamExportRequest, *, timeout: float | None = None
    ) -> AsyncGenerator[database.StreamExportResponse, None]:
        """The document of ExportDatabase in parts, which fit into any client's message limit."""
        return self._stream("StreamExport", request, timeout)

    async def ImportDocument(
        self, request: database.ImportDocumentRequest, *, timeout: float | None = None
    ) -> studio.ImportDatabaseResponse:
        """ImportDatabase of a document that travels in the request, so that it need not lie in the
        project directory.
        """
        return await self._unary("ImportDocument", request, timeout)

    async def get_datasets(self) -> list[studio.DatasetMetadata]:
        """All datasets, oldest first."""
        response = await self.ListDatasets(studio.ListDatasetsRequest())
        return list(response.datasets)

    def iter_datasets(
        self,
        *,
        page_size: int = 100,
        filter: Mapping[str, str] | None = None,
        order_by: str = "",
    ) -> AsyncIterator[studio.DatasetMetadata]:
        """The datasets that the arguments ask for, page by page."""
        request = studio.ListDatasetsRequest(page_size=page_size, filter=filter, order_by=order_by)
        return self._items("ListDatasets", request)

    async def get_models(self) -> list[studio.ModelMetadata]:
        """All models, oldest first."""
        response = await self.ListModels(studio.ListModelsRequest())
        return list(response.models)

    def iter_models(
        self,
        *,
        page_size: int = 100,
        filter: Mapping[str, str] | None = None,
        order_by: str = "",
    ) -> AsyncIterator[studio.ModelMetadata]:
        """The models that the arguments ask for, page by page."""
        request = studio.ListModelsRequest(page_size=page_size, filter=filter, order_by=order_by)
        return self._items("ListModels", request)

    async def get_adapters(self) -> list[studio.AdapterMetadata]:
        """All adapters, oldest first."""
        response = await self.ListAdapters(studio.ListAdaptersRequest())
        return list(response.adapters)

    def iter_adapters(
        self,
        *,
        page_size: int = 100,
        filter: Mapping[str, str] | None = None,
        order_by: str = "",
    ) -> AsyncIterator[studio.AdapterMetadata]:
        """The adapters that the arguments ask for, page by page."""
        request = studio.ListAdaptersRequest(page_size=page_size, filter=filter, order_by=order_by)
        return self._items("ListAdapters", request)

    async def get_prompts(self) -> list[studio.PromptMetadata]:
        """All prompts, oldest first."""
        response = await self.ListPrompts(studio.ListPromptsRequest())
        return list(response.prompts)

    def iter_prompts(
        self,
        *,
        page_size: int = 100,
        filter: Mapping[str, str] | None = None,
        order_by: str = "",
    ) -> AsyncIterator[studio.PromptMetadata]:
        """The prompts that the arguments ask for, page by page."""
        request = studio.ListPromptsRequest(page_size=page_size, filter=filter, order_by=order_by)
        return self._items("ListPrompts", request)

    async def get_fine_tuning_jobs(self) -> list[studio.FineTuningJobMetadata]:
        """All fine-tuning jobs, oldest first."""
        response = await self.ListFineTuningJobs(studio.ListFineTuningJobsRequest())
        return list(response.fine_tuning_jobs)

    def iter_fine_tuning_jobs(
        self,
        *,
        page_size: int = 100,
        filter: Mapping[str, str] | None = None,
        order_by: str = "",
    ) -> AsyncIterator[studio.FineTuningJobMetadata]:
        """The fine-tuning jobs that the arguments ask for, page by page."""
        request = studio.ListFineTuningJobsRequest(
            page_size=page_size, filter=filter, order_by=order_by
        )
        return self._items("ListFineTuningJobs", request)

    async def get_evaluation_jobs(self) -> list[studio.EvaluationJobMetadata]:
        """All evaluation jobs, oldest first."""
        response = await self.ListEvaluationJobs(studio.ListEvaluationJobsRequest())
        return list(response.evaluation_jobs)

    def iter_evaluation_jobs(
        self,
        *,
        page_size: int = 100,
        filter: Mapping[str, str] | None = None,
        order_by: str = "",
    ) -> AsyncIterator[studio.EvaluationJobMetadata]:
        """The evaluation jobs that the arguments ask for, page by page."""
        request = studio.ListEvaluationJobsRequest(
            page_size=page_size, filter=filter, order_by=order_by
        )
        return self._items("ListEvaluationJobs", request)

    async def get_configs(self) -> list[studio.ConfigMetadata]:
        """All configs, oldest first."""
        response = await self.ListConfigs(studio.ListConfigsRequest())
        return list(response.configs)

    def iter_configs(
        self,
        *,
        type: str = "",
        model_id: str = "",
        adapter_id: str = "",
        fine_tuning_job_id: str = "",
        page_size: int = 100,
        filter: Mapping[str, str] | None = None,
        order_by: str = "",
    ) -> AsyncIterator[studio.ConfigMetadata]:
        """The configs that the arguments ask for, page by page."""
        request = studio.ListConfigsRequest(
            type=type,
            model_id=model_id,
            adapter_id=adapter_id,
            fine_tuning_job_id=fine_tuning_job_id,
            page_size=page_size,
            filter=filter,
            order_by=order_by,
        )
        return self._items("ListConfigs", request)

    async def get_export_jobs(self) -> list[jobs.ExportJobMetadata]:
        """All export jobs, oldest first."""
        response = await self.ListExportJobs(jobs.ListExportJobsRequest())
        return list(response.export_jobs)

    def iter_export_jobs(
        self,
        *,
        page_size: int = 100,
        filter: Mapping[str, str] | None = None,
        order_by: str = "",
    ) -> AsyncIterator[jobs.ExportJobMetadata]:
        """The export jobs that the arguments ask for, page by page."""
        request = jobs.ListExportJobsRequest(page_size=page_size, filter=filter, order_by=order_by)
        return self._items("ListExportJobs", request)
