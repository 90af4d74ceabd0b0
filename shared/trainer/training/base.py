"""Base class of fine-tuning jobs: the steps before and after the training itself."""

from pathlib import Path
from typing import Any

from datasets import Dataset

from ft.api import (
    GetDatasetRequest,
    GetModelRequest,
    GetPromptRequest,
    ModelMetadata,
    PromptMetadata,
)
from rows import reading, selection
from rows.chat.conversations import roles_of
from trainer.data.questions import ModelInput
from trainer.job.arguments import FineTuneArguments
from trainer.job.commits import Commits
from trainer.job.events import EventLog
from trainer.job.registration import announce
from trainer.job.studio import Studio, model_source
from trainer.model import hub, manifest
from trainer.serving import trained_answers


class FineTuningBase:
    """One job, from its arguments to the saved and registered adapter."""

    def __init__(
        self, arguments: FineTuneArguments, studio: Studio, events: EventLog, project: Path
    ) -> None:
        self._arguments = arguments
        self._studio = studio
        self._events = events
        self._project = project
        self._target = project / arguments.out_dir
        self._commits = Commits(project / arguments.train_out_dir)

    def _look_up_model(self) -> tuple[ModelMetadata, str]:
        """The base model, with its commit on the hub, and the path or name that it is loaded
        from."""
        model = self._studio.GetModel(GetModelRequest(id=self._arguments.base_model_id)).model
        self._commits.settle_model(model)
        return model, model_source(model, self._project)

    def _look_up_prompt(self) -> PromptMetadata:
        """The job's prompt; an empty one if it has none."""
        if not self._arguments.prompt_id:
            return PromptMetadata()
        return self._studio.GetPrompt(GetPromptRequest(id=self._arguments.prompt_id)).prompt

    def _read_rows(self) -> tuple[Dataset, Dataset]:
        """Reads the rows to train on and the rows held out; reports how their file is read."""
        arguments = self._arguments
        dataset = self._studio.GetDataset(GetDatasetRequest(id=arguments.dataset_id)).dataset
        self._commits.settle_dataset(dataset)
        self._dataset = dataset
        loaded = reading.read(dataset, self._project, hub.token())
        self._dataset, self._rows_source = dataset, loaded.source
        for notice in loaded.source.notices:
            self._events.notice(notice)
        return selection.split(
            loaded.splits, arguments.dataset_fraction, arguments.train_test_split
        )

    def _about_rows(self, train: Dataset, held_out: Dataset) -> dict[str, Any]:
        """The manifest's description of rows that were just read."""
        return manifest.data_of(self._dataset, train, held_out, self._rows_source)

    def _samples(
        self, prompt: PromptMetadata, train: Dataset, held_out: Dataset
    ) -> list[ModelInput]:
        """Inputs for the trained model, whose answers are recorded to verify it later."""
        rows = held_out if len(held_out) else train
        return trained_answers.inputs(prompt, rows, roles_of(self._dataset))

    def _announce(self) -> None:
        """Reports that the adapter is saved, and registers it if the arguments say so."""
        announce(self._studio, self._events, self._arguments, self._project)
