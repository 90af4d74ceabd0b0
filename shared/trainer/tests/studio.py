"""A studio in the test's own process: a real gRPC server with the RPCs that jobs call."""

from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc

from ft.api import (
    AdapterMetadata,
    AddAdapterRequest,
    AddAdapterResponse,
    ConfigMetadata,
    DatasetMetadata,
    FineTuningJobMetadata,
    GetAdapterResponse,
    GetConfigResponse,
    GetDatasetResponse,
    GetDatasetSplitByAdapterMetadata,
    GetDatasetSplitByAdapterResponse,
    GetFineTuningJobResponse,
    GetModelResponse,
    GetPromptResponse,
    ListAdaptersResponse,
    ListConfigsResponse,
    ModelMetadata,
    PromptMetadata,
    RegisterExportRequest,
    RegisterExportResponse,
    ReportJobEventsRequest,
    ReportJobEventsResponse,
)
from ft.job_protocol.reports import KIND_METADATA
from ft.proto.fine_tuning_studio_jobs_pb2_grpc import (
    FineTuningStudioJobsServicer,
    add_FineTuningStudioJobsServicer_to_server,
)
from ft.proto.fine_tuning_studio_pb2_grpc import (
    FineTuningStudioServicer,
    add_FineTuningStudioServicer_to_server,
)

PROMPT = PromptMetadata(
    id="prompt",
    name="intents",
    dataset_id="dataset",
    prompt_template="### CUSTOMER: {customer}\n### ACTION: {action}",
    input_template="### CUSTOMER: {customer}\n### ACTION:",
    completion_template=" {action}",
)


TOKEN = "the-token"


class Studio(FineTuningStudioServicer, FineTuningStudioJobsServicer):
    """Knows one model, dataset, prompt and config, the adapters that jobs add, the models that they
    export, and what job `job-1` reports."""

    def __init__(self) -> None:
        self.model = ModelMetadata(
            id="model", type="project", name="starter", location="starter/model"
        )
        self.dataset = DatasetMetadata(
            id="dataset", type="project", name="intents", location="starter/intents"
        )
        self.prompt = PromptMetadata()
        self.prompt.CopyFrom(PROMPT)
        self.adapters: list[AdapterMetadata] = []
        self.exports: list[RegisterExportRequest] = []
        self.export_refused = ""
        self.config = ConfigMetadata(id="config", type="axolotl")
        self.shipped: list[ConfigMetadata] = []
        self.reported = b""
        self.refused = 0
        self.kinds: set[str | None] = set()
        """Kinds that reports have named, None for those that named none."""
        self.splits = {"": (1.0, 0.9)}
        self.jobs: dict[str, FineTuningJobMetadata] = {}
        self.address = ""

    def GetModel(self, request, context):
        if request.id != self.model.id:
            context.abort(grpc.StatusCode.NOT_FOUND, f"model {request.id} is not known")
        return GetModelResponse(model=self.model)

    def GetDataset(self, request, context):
        return GetDatasetResponse(dataset=self.dataset)

    def GetPrompt(self, request, context):
        return GetPromptResponse(prompt=self.prompt)

    def GetConfig(self, request, context):
        return GetConfigResponse(config=self.config)

    def ListConfigs(self, request, context):
        return ListConfigsResponse(configs=[c for c in self.shipped if c.type == request.type])

    def GetAdapter(self, request, context):
        for adapter in self.adapters:
            if adapter.id == request.id:
                return GetAdapterResponse(adapter=adapter)
        return context.abort(grpc.StatusCode.NOT_FOUND, f"adapter {request.id} is not known")

    def GetDatasetSplitByAdapter(self, request, context):
        fraction, share = self.splits.get(request.adapter_id, self.splits[""])
        return GetDatasetSplitByAdapterResponse(
            response=GetDatasetSplitByAdapterMetadata(
                dataset_fraction=fraction, train_test_split=share
            )
        )

    def GetFineTuningJob(self, request, context):
        if request.id not in self.jobs:
            context.abort(grpc.StatusCode.NOT_FOUND, f"job {request.id} is not known")
        return GetFineTuningJobResponse(fine_tuning_job=self.jobs[request.id])

    def ListAdapters(self, request, context):
        return ListAdaptersResponse(adapters=self.adapters)

    def AddAdapter(self, request: AddAdapterRequest, context):
        if any(adapter.name == request.name for adapter in self.adapters):
            context.abort(grpc.StatusCode.ALREADY_EXISTS, f"name {request.name} is taken")
        adapter = AdapterMetadata(
            id=f"adapter-{len(self.adapters)}",
            type=request.type,
            name=request.name,
            model_id=request.model_id,
            location=request.location,
            fine_tuning_job_id=request.fine_tuning_job_id,
            prompt_id=request.prompt_id,
        )
        self.adapters.append(adapter)
        return AddAdapterResponse(adapter=adapter)

    def RegisterExport(self, request: RegisterExportRequest, context):
        if self.export_refused:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, self.export_refused)
        self.exports.append(request)
        return RegisterExportResponse(model=ModelMetadata(id="exported"))

    def ReportJobEvents(self, request: ReportJobEventsRequest, context):
        self.kinds.add(dict(context.invocation_metadata()).get(KIND_METADATA))
        if (request.job_id, request.token) != ("job-1", TOKEN):
            self.refused += 1
            context.abort(
                grpc.StatusCode.UNAUTHENTICATED,
                "the token does not belong to a job that has not ended",
            )
        known = len(self.reported)
        if request.offset <= known:
            self.reported += request.data[known - request.offset :]
        return ReportJobEventsResponse(next_offset=len(self.reported))


class Direct:
    """A studio's RPCs, called without a connection."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def __getattr__(self, rpc: str) -> Callable[[Any], Any]:
        return lambda request: getattr(self._studio, rpc)(request, None)


@contextmanager
def serve(studio: Studio, listen: str = "127.0.0.1:0") -> Iterator[str]:
    """The address at which the studio answers."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    add_FineTuningStudioServicer_to_server(studio, server)
    add_FineTuningStudioJobsServicer_to_server(studio, server)
    port = server.add_insecure_port(listen)
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
