"""RPCs of the studio that jobs call, and records that it answers with."""

# ruff: noqa: N802  # The methods are called as the contract calls its RPCs.

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ft.api import (
    AddAdapterRequest,
    AddAdapterResponse,
    GetAdapterRequest,
    GetAdapterResponse,
    GetConfigRequest,
    GetConfigResponse,
    GetDatasetRequest,
    GetDatasetResponse,
    GetDatasetSplitByAdapterRequest,
    GetDatasetSplitByAdapterResponse,
    GetFineTuningJobRequest,
    GetFineTuningJobResponse,
    GetModelRequest,
    GetModelResponse,
    GetPromptRequest,
    GetPromptResponse,
    ListAdaptersRequest,
    ListAdaptersResponse,
    ListConfigsRequest,
    ListConfigsResponse,
    ModelMetadata,
    ModelType,
    RegisterExportRequest,
    RegisterExportResponse,
)
from ft.job_protocol import variables
from trainer.errors import ModelError


class Studio(Protocol):
    """The RPCs that jobs call. Each raises `ft.client.StudioError`."""

    def GetModel(self, request: GetModelRequest) -> GetModelResponse: ...
    def GetDataset(self, request: GetDatasetRequest) -> GetDatasetResponse: ...
    def GetPrompt(self, request: GetPromptRequest) -> GetPromptResponse: ...
    def GetConfig(self, request: GetConfigRequest) -> GetConfigResponse: ...
    def ListConfigs(self, request: ListConfigsRequest) -> ListConfigsResponse: ...
    def GetAdapter(self, request: GetAdapterRequest) -> GetAdapterResponse: ...
    def GetFineTuningJob(self, request: GetFineTuningJobRequest) -> GetFineTuningJobResponse: ...
    def GetDatasetSplitByAdapter(
        self, request: GetDatasetSplitByAdapterRequest
    ) -> GetDatasetSplitByAdapterResponse: ...
    def ListAdapters(self, request: ListAdaptersRequest) -> ListAdaptersResponse: ...
    def AddAdapter(self, request: AddAdapterRequest) -> AddAdapterResponse: ...
    def RegisterExport(self, request: RegisterExportRequest) -> RegisterExportResponse: ...


@dataclass(frozen=True)
class Identity:
    """A job as the studio knows it."""

    job_id: str
    token: str = field(repr=False)
    kind: str = ""
    """A `JobKind`; empty for a job that an older studio has started."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Identity":
        """The identity in a run's environment; empty for a script that is run by hand."""
        names = (variables.JOB_ID, variables.JOB_TOKEN, variables.JOB_KIND)
        return cls(*(environment.get(name, "") for name in names))


def model_source(model: ModelMetadata, project: Path) -> str:
    """Name on the hub or directory that `from_pretrained` loads the model from.

    A registered model is first made into a directory. Raises ModelError if the model is not there.
    """
    if model.type == ModelType.HUGGINGFACE:
        return model.huggingface_model_name
    if model.type == ModelType.PROJECT:
        if not (project / model.location / "config.json").is_file():
            raise ModelError(f"Model {model.name} has no config.json in {model.location}.")
        return str(project / model.location)
    from trainer.tracking import fetch

    return str(fetch.directory(model, project))


def model_reference(model: ModelMetadata) -> str:
    """Name of the base model in an adapter: as the studio knows it, on whichever machine."""
    location = model.location
    if location and Path(location).is_relative_to(Path.cwd()):
        location = str(Path(location).relative_to(Path.cwd()))  # a job works in the project
    return location or model.huggingface_model_name or f"models:/{model.name}"
