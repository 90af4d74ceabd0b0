"""The RPCs as the client offers them: what each takes and returns, for editors and checkers."""

from collections.abc import Iterator
from typing import Protocol, TypeVar

from ft.proto import fine_tuning_studio_database_pb2 as database
from ft.proto import fine_tuning_studio_jobs_pb2 as jobs
from ft.proto import fine_tuning_studio_pb2 as studio

Request = TypeVar("Request", contravariant=True)
Response = TypeVar("Response", covariant=True)


class Unary(Protocol[Request, Response]):
    """A call with one response.

    `timeout` is in seconds, the client's own where it is None. Raises `ft.errors.StudioError`.
    """

    def __call__(self, request: Request, *, timeout: float | None = None) -> Response: ...


class Stream(Protocol[Request, Response]):
    """A call with a stream of responses.

    `timeout`, in seconds, is for the whole stream; None sets no limit that matters. Iterating
    raises `ft.errors.StudioError`. Closing the iterator ends the call.
    """

    def __call__(self, request: Request, *, timeout: float | None = None) -> Iterator[Response]: ...


class Rpcs:
    """One attribute for each RPC, named like it. A test holds them against the contract."""

    ListDatasets: Unary[studio.ListDatasetsRequest, studio.ListDatasetsResponse]
    GetDataset: Unary[studio.GetDatasetRequest, studio.GetDatasetResponse]
    AddDataset: Unary[studio.AddDatasetRequest, studio.AddDatasetResponse]
    RemoveDataset: Unary[studio.RemoveDatasetRequest, studio.RemoveDatasetResponse]
    GetDatasetSplitByAdapter: Unary[
        studio.GetDatasetSplitByAdapterRequest, studio.GetDatasetSplitByAdapterResponse
    ]
    ListModels: Unary[studio.ListModelsRequest, studio.ListModelsResponse]
    GetModel: Unary[studio.GetModelRequest, studio.GetModelResponse]
    AddModel: Unary[studio.AddModelRequest, studio.AddModelResponse]
    ExportModel: Unary[studio.ExportModelRequest, studio.ExportModelResponse]
    RemoveModel: Unary[studio.RemoveModelRequest, studio.RemoveModelResponse]
    ListAdapters: Unary[studio.ListAdaptersRequest, studio.ListAdaptersResponse]
    GetAdapter: Unary[studio.GetAdapterRequest, studio.GetAdapterResponse]
    AddAdapter: Unary[studio.AddAdapterRequest, studio.AddAdapterResponse]
    RemoveAdapter: Unary[studio.RemoveAdapterRequest, studio.RemoveAdapterResponse]
    ListPrompts: Unary[studio.ListPromptsRequest, studio.ListPromptsResponse]
    GetPrompt: Unary[studio.GetPromptRequest, studio.GetPromptResponse]
    AddPrompt: Unary[studio.AddPromptRequest, studio.AddPromptResponse]
    RemovePrompt: Unary[studio.RemovePromptRequest, studio.RemovePromptResponse]
    ListFineTuningJobs: Unary[studio.ListFineTuningJobsRequest, studio.ListFineTuningJobsResponse]
    GetFineTuningJob: Unary[studio.GetFineTuningJobRequest, studio.GetFineTuningJobResponse]
    StartFineTuningJob: Unary[studio.StartFineTuningJobRequest, studio.StartFineTuningJobResponse]
    RemoveFineTuningJob: Unary[
        studio.RemoveFineTuningJobRequest, studio.RemoveFineTuningJobResponse
    ]
    ListEvaluationJobs: Unary[studio.ListEvaluationJobsRequest, studio.ListEvaluationJobsResponse]
    GetEvaluationJob: Unary[studio.GetEvaluationJobRequest, studio.GetEvaluationJobResponse]
    StartEvaluationJob: Unary[studio.StartEvaluationJobRequest, studio.StartEvaluationJobResponse]
    RemoveEvaluationJob: Unary[
        studio.RemoveEvaluationJobRequest, studio.RemoveEvaluationJobResponse
    ]
    ListConfigs: Unary[studio.ListConfigsRequest, studio.ListConfigsResponse]
    GetConfig: Unary[studio.GetConfigRequest, studio.GetConfigResponse]
    AddConfig: Unary[studio.AddConfigRequest, studio.AddConfigResponse]
    RemoveConfig: Unary[studio.RemoveConfigRequest, studio.RemoveConfigResponse]
    ExportDatabase: Unary[studio.ExportDatabaseRequest, studio.ExportDatabaseResponse]
    ImportDatabase: Unary[studio.ImportDatabaseRequest, studio.ImportDatabaseResponse]
    TailLogs: Stream[jobs.TailLogsRequest, jobs.TailLogsResponse]
    ValidateFineTuningJob: Unary[
        jobs.ValidateFineTuningJobRequest, jobs.ValidateFineTuningJobResponse
    ]
    ValidateEvaluationJob: Unary[
        jobs.ValidateEvaluationJobRequest, jobs.ValidateEvaluationJobResponse
    ]
    StreamExport: Stream[database.StreamExportRequest, database.StreamExportResponse]
    ImportDocument: Unary[database.ImportDocumentRequest, studio.ImportDatabaseResponse]
