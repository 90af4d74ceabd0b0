"""The contract's servicers with their state in memory."""

from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from ft import api
from ft.proto import fine_tuning_studio_jobs_pb2_grpc as jobs_grpc
from ft.proto import fine_tuning_studio_pb2_grpc as studio_grpc

Context = grpc.ServicerContext


def refuse(
    context: Context,
    code: grpc.StatusCode,
    message: str,
    reason: str,
    violations: dict[str, str] | None = None,
    **metadata: str,
) -> NoReturn:
    """Ends the call as a service of the studio does, with `google.rpc` details."""
    info = error_details_pb2.ErrorInfo(reason=reason, domain="test", metadata=metadata)
    details = [any_pb2.Any(), any_pb2.Any()]
    details[0].Pack(info)
    bad_request = error_details_pb2.BadRequest()
    for field, description in (violations or {}).items():
        bad_request.field_violations.add(field=field, description=description, reason=f"FT-{field}")
    details[1].Pack(bad_request)
    status = status_pb2.Status(code=code.value[0], message=message, details=details)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, message)
    raise AssertionError


class Studio(jobs_grpc.FineTuningStudioJobsServicer, studio_grpc.FineTuningStudioServicer):
    """Datasets, models, prompts, configs and jobs in dictionaries; jobs go as the test says."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.requests: list[Any] = []
        self.kept: dict[str, dict[str, Any]] = {}
        self.before: Callable[[str, Context], None] = lambda method, context: None
        self.statuses: list[api.JobStatus] = [api.JobStatus(state=api.JobState.SUCCEEDED)]
        self.log = b"line one\nline two\n"
        self.evaluated: dict[str, float] = {}
        self.results: dict[str, list[api.EvaluationRow]] = {}

    def __getattribute__(self, name: str) -> Any:
        if not name[0].isupper():
            return super().__getattribute__(name)

        def counted(request: Any, context: Context) -> Any:
            self.calls[name] += 1
            self.requests.append(request)
            self.before(name, context)
            # Looked up at the call, because a test may have put its own in place since.
            return object.__getattribute__(self, name)(request, context)

        return counted

    def _all(self, kind: str) -> list[Any]:
        return list(self.kept.setdefault(kind, {}).values())

    def _page(self, response: Any, kind: str, request: Any) -> Any:
        wanted = request.filter.items()
        found = [item for item in self._all(kind) if all(getattr(item, n) == v for n, v in wanted)]
        start = int(request.page_token or 0)
        end = start + request.page_size if request.page_size else len(found)
        [items] = (field.name for field in response.DESCRIPTOR.fields if field.is_repeated)
        token = str(end) if end < len(found) else ""
        return response(**{items: found[start:end]}, next_page_token=token)

    def _get(self, kind: str, request: Any, context: Context) -> Any:
        found = self.kept.setdefault(kind, {}).get(request.id)
        if found is None:
            refuse(
                context, grpc.StatusCode.NOT_FOUND, f"{kind} {request.id!r} not found", "NOT_FOUND"
            )
        return found

    def _keep(self, kind: str, item: Any) -> Any:
        kept = self.kept.setdefault(kind, {})
        item.id = item.id or f"{kind}-{len(kept) + 1}"
        kept[item.id] = item
        return item

    def ListDatasets(self, request: Any, context: Context) -> Any:
        return self._page(api.ListDatasetsResponse, "dataset", request)

    def GetDataset(self, request: Any, context: Context) -> Any:
        return api.GetDatasetResponse(dataset=self._get("dataset", request, context))

    def AddDataset(self, request: Any, context: Context) -> Any:
        if not request.location and request.type != "huggingface":
            refuse(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                "location: is required and must not be blank; name: is required",
                "INVALID_ARGUMENT",
                {"location": "is required and must not be blank", "name": "is required"},
            )
        item = api.DatasetMetadata(
            type=request.type, name=request.name, location=request.location, features='["a", "b"]'
        )
        notices = ["Its cells are separated by tabs."] if request.location == "t.csv" else []
        return api.AddDatasetResponse(dataset=self._keep("dataset", item), notices=notices)

    def RemoveDataset(self, request: Any, context: Context) -> Any:
        self.kept.setdefault("dataset", {}).pop(request.id, None)
        return api.RemoveDatasetResponse()

    def ListModels(self, request: Any, context: Context) -> Any:
        return self._page(api.ListModelsResponse, "model", request)

    def GetModel(self, request: Any, context: Context) -> Any:
        return api.GetModelResponse(model=self._get("model", request, context))

    def AddModel(self, request: Any, context: Context) -> Any:
        item = api.ModelMetadata(type=request.type, name=request.name, location=request.location)
        return api.AddModelResponse(model=self._keep("model", item))

    def ListAdapters(self, request: Any, context: Context) -> Any:
        return self._page(api.ListAdaptersResponse, "adapter", request)

    def AddAdapter(self, request: Any, context: Context) -> Any:
        item = api.AdapterMetadata(name=request.name, model_id=request.model_id)
        return api.AddAdapterResponse(adapter=self._keep("adapter", item))

    def ListPrompts(self, request: Any, context: Context) -> Any:
        return self._page(api.ListPromptsResponse, "prompt", request)

    def AddPrompt(self, request: Any, context: Context) -> Any:
        return api.AddPromptResponse(prompt=self._keep("prompt", request.prompt))

    def ListConfigs(self, request: Any, context: Context) -> Any:
        return self._page(api.ListConfigsResponse, "config", request)

    def AddConfig(self, request: Any, context: Context) -> Any:
        item = api.ConfigMetadata(type=request.type, config=request.config)
        return api.AddConfigResponse(config=self._keep("config", item))

    def _status(self) -> api.JobStatus:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def ListFineTuningJobs(self, request: Any, context: Context) -> Any:
        return self._page(api.ListFineTuningJobsResponse, "job", request)

    def GetFineTuningJob(self, request: Any, context: Context) -> Any:
        job = self._get("job", request, context)
        job.status.CopyFrom(self._status())
        return api.GetFineTuningJobResponse(fine_tuning_job=job)

    def StartFineTuningJob(self, request: Any, context: Context) -> Any:
        adapter = self._keep(
            "adapter",
            api.AdapterMetadata(name=request.adapter_name, model_id=request.base_model_id),
        )
        item = api.FineTuningJobMetadata(
            adapter_name=request.adapter_name,
            adapter_id=adapter.id,
            base_model_id=request.base_model_id,
            dataset_id=request.dataset_id,
        )
        return api.StartFineTuningJobResponse(fine_tuning_job=self._keep("job", item))

    def RemoveFineTuningJob(self, request: Any, context: Context) -> Any:
        self.kept.setdefault("job", {}).pop(request.id, None)
        return api.RemoveFineTuningJobResponse()

    def ListEvaluationJobs(self, request: Any, context: Context) -> Any:
        return self._page(api.ListEvaluationJobsResponse, "evaluation", request)

    def GetEvaluationJob(self, request: Any, context: Context) -> Any:
        job = self._get("evaluation", request, context)
        job.status.CopyFrom(self._status())
        return api.GetEvaluationJobResponse(evaluation_job=job)

    def StartEvaluationJob(self, request: Any, context: Context) -> Any:
        parent = f"parent-{self.calls['StartEvaluationJob']}"
        jobs = [
            self._keep(
                "evaluation",
                api.EvaluationJobMetadata(
                    parent_job_id=parent,
                    base_model_id=pair.base_model_id,
                    adapter_id=pair.adapter_id,
                    rows=10,
                    metrics={"exact_match": self.evaluated.get(_role(pair), 0.0)},
                    samples=[
                        api.EvaluationSample(
                            input="### CUSTOMER: [x]\n### ACTION:",
                            expected="cancel_order",
                            output=f"{_role(pair)}_output",
                        )
                    ],
                ),
            )
            for pair in request.model_adapter_combinations
        ]
        return api.StartEvaluationJobResponse(evaluation_job=jobs[-1], evaluation_jobs=jobs)

    def StreamEvaluationRows(self, request: Any, context: Context) -> Any:
        wanted = api.GetEvaluationJobRequest(id=request.job_id)
        job = self._get("evaluation", wanted, context)
        if job.id not in self.results:
            refuse(
                context,
                grpc.StatusCode.FAILED_PRECONDITION,
                "job_id: has no table of results",
                "FAILED_PRECONDITION",
            )
        for row in self.results[job.id][request.offset :]:
            yield api.StreamEvaluationRowsResponse(rows=[row])

    def ExportModel(self, request: Any, context: Context) -> Any:
        fields = ("type", "base_model_id", "adapter_id", "model_name")
        job = api.ExportJobMetadata(
            **{name: getattr(request, name) for name in fields}, model_id="exported"
        )
        return api.ExportModelResponse(export_job_id=self._keep("export", job).id)

    def ListExportJobs(self, request: Any, context: Context) -> Any:
        return self._page(api.ListExportJobsResponse, "export", request)

    def GetExportJob(self, request: Any, context: Context) -> Any:
        job = self._get("export", request, context)
        job.status.CopyFrom(self._status())
        return api.GetExportJobResponse(export_job=job)

    def CancelExportJob(self, request: Any, context: Context) -> Any:
        job = self._get("export", request, context)
        job.status.state = "STOPPING"
        return api.CancelExportJobResponse(export_job=job)

    def RemoveExportJob(self, request: Any, context: Context) -> Any:
        self.kept.setdefault("export", {}).pop(request.id, None)
        return api.RemoveExportJobResponse()

    def ExportDatabase(self, request: Any, context: Context) -> Any:
        return api.ExportDatabaseResponse(exported_json='{"models": {"data": []}}')

    def ImportDatabase(self, request: Any, context: Context) -> Any:
        return api.ImportDatabaseResponse()

    def TailLogs(self, request: Any, context: Context) -> Any:
        if request.job_id not in self.kept.get("job", {}):
            refuse(
                context, grpc.StatusCode.NOT_FOUND, f"job {request.job_id!r} not found", "NOT_FOUND"
            )
        middle = 5
        for start, end in ((request.offset, middle), (middle, len(self.log))):
            if start < end:
                yield api.TailLogsResponse(data=self.log[start:end], next_offset=end)


def _role(pair: api.EvaluationJobModelCombination) -> str:
    return "tuned" if pair.adapter_id else "base"
