"""What the trainer asks of the studio. `ft.client.FineTuningStudioClient` can do all of it."""

# ruff: noqa: N802  # The methods are called as the contract calls its RPCs.

from pathlib import Path
from typing import Protocol

from ft.api import (
    AddAdapterRequest,
    AddAdapterResponse,
    GetAdapterRequest,
    GetAdapterResponse,
    GetDatasetRequest,
    GetDatasetResponse,
    GetDatasetSplitByAdapterRequest,
    GetDatasetSplitByAdapterResponse,
    GetModelRequest,
    GetModelResponse,
    GetPromptRequest,
    GetPromptResponse,
    ListAdaptersRequest,
    ListAdaptersResponse,
    ModelMetadata,
    ModelType,
)
from trainer.errors import ModelError, UnsupportedError


class Studio(Protocol):
    """The RPCs that jobs call. Each raises `ft.client.StudioError`."""

    def GetModel(self, request: GetModelRequest) -> GetModelResponse: ...
    def GetDataset(self, request: GetDatasetRequest) -> GetDatasetResponse: ...
    def GetPrompt(self, request: GetPromptRequest) -> GetPromptResponse: ...
    def GetAdapter(self, request: GetAdapterRequest) -> GetAdapterResponse: ...
    def GetDatasetSplitByAdapter(
        self, request: GetDatasetSplitByAdapterRequest
    ) -> GetDatasetSplitByAdapterResponse: ...
    def ListAdapters(self, request: ListAdaptersRequest) -> ListAdaptersResponse: ...
    def AddAdapter(self, request: AddAdapterRequest) -> AddAdapterResponse: ...


def model_source(model: ModelMetadata, project: Path) -> str:
    """What `from_pretrained` loads the model from: its name on the hub or its directory.

    Raises ModelError if the directory is not there, UnsupportedError for models of the registry.
    """
    if model.type == ModelType.HUGGINGFACE:
        return model.huggingface_model_name
    if model.type == ModelType.PROJECT:
        if not (project / model.location / "config.json").is_file():
            raise ModelError(f"Model {model.name} has no config.json in {model.location}.")
        return str(project / model.location)
    raise UnsupportedError(f"Models of type {model.type} cannot be loaded in a job yet.")
