"""Rows that an evaluation job scores; its models were trained on none of them."""

from pathlib import Path

import grpc
from datasets import Dataset, DatasetDict

from ft.api import (
    DatasetType,
    GetAdapterRequest,
    GetDatasetRequest,
    GetDatasetSplitByAdapterRequest,
    GetFineTuningJobRequest,
    PromptMetadata,
)
from ft.client import StudioError
from rows import reading, selection, templates
from rows.chat.conversations import Conversations, asked_column, roles_of
from rows.errors import DataError, EmptyError
from rows.reading import RowsSource
from trainer.job.arguments import EvaluateArguments
from trainer.job.studio import Studio
from trainer.model import adapter_checks, hub
from trainer.model.hardware import Notify
from trainer.model.loading import adapter_source


class HeldOutRows:
    """The held-out rows of one job."""

    def __init__(self, arguments: EvaluateArguments, studio: Studio, project: Path) -> None:
        self._arguments = arguments
        self._studio = studio
        self._project = project
        self.source = RowsSource()
        """The source of the rows, after `load`."""

    def load(self, prompt: PromptMetadata, notify: Notify) -> tuple[Dataset, Conversations | None]:
        """A share of the rows that were held out from the training of the comparison adapter, and
        the conversations that the prompt asks about; None if it asks with texts.

        Rows with the same text as one that this adapter, or the job's own, was trained on are left
        out, with a notice. Raises DataError if prompt or columns do not fit the dataset, or if
        there is nothing to score.
        """
        arguments = self._arguments
        request = GetDatasetRequest(id=arguments.dataset_id)
        dataset = self._studio.GetDataset(request).dataset
        id = arguments.comparison_adapter_id or arguments.adapter_id
        on_hub = dataset.type == DatasetType.HUGGINGFACE
        if id and on_hub and not self._trained_elsewhere(id):
            adapter = self._studio.GetAdapter(GetAdapterRequest(id=id)).adapter
            source = adapter_source(adapter, self._project)
            adapter_checks.settle_dataset(dataset, source, notify)
        loaded = reading.read(dataset, self._project, hub.token())
        splits, self.source = loaded.splits, loaded.source
        for notice in loaded.source.notices:
            notify(notice)
        train, held_out = self._split(splits, arguments.comparison_adapter_id)
        columns = held_out.column_names
        templates.check_columns(prompt.input_template, columns, "input_template")
        templates.check_columns(prompt.completion_template, columns, "completion_template")
        for name in arguments.selected_features:
            if name not in columns:
                raise DataError(f"selected_features: the dataset has no column {name}.")
        templates_used = (prompt.input_template, prompt.completion_template)
        asked = asked_column(*templates_used, held_out, roles_of(dataset))
        chosen = selection.scored(
            held_out,
            [train, *self._rows_of_own_adapter(splits)],
            templates.used_columns(columns, *templates_used),
            arguments.eval_dataset_fraction,
            asked,
        )
        _report_left_out(chosen, len(held_out), notify)
        rows = held_out.select(chosen.positions)
        if asked is None:
            templates.report_empty_values(templates_used, rows, notify)
            templates.report_blank_answers(prompt.completion_template, rows, notify)
        return rows, asked

    def _split(self, splits: DatasetDict, adapter_id: str) -> tuple[Dataset, Dataset]:
        request = GetDatasetSplitByAdapterRequest(adapter_id=adapter_id)
        used = self._studio.GetDatasetSplitByAdapter(request).response
        return selection.split(splits, used.dataset_fraction, used.train_test_split)

    def _rows_of_own_adapter(self, splits: DatasetDict) -> list[Dataset]:
        """The rows that the job's own adapter was trained on, if it is not the comparison's: it may
        have used a larger share of the same rows."""
        adapter_id = self._arguments.adapter_id
        if adapter_id in ("", self._arguments.comparison_adapter_id):
            return []
        if self._trained_elsewhere(adapter_id):
            return []
        try:
            return [self._split(splits, adapter_id)[0]]
        except EmptyError:
            return []

    def _trained_elsewhere(self, adapter_id: str) -> bool:
        """Tells whether the adapter is known to come from another dataset."""
        adapter = self._studio.GetAdapter(GetAdapterRequest(id=adapter_id)).adapter
        if not adapter.fine_tuning_job_id:
            return False
        try:
            request = GetFineTuningJobRequest(id=adapter.fine_tuning_job_id)
            job = self._studio.GetFineTuningJob(request).fine_tuning_job
        except StudioError as error:
            if error.code is grpc.StatusCode.NOT_FOUND:
                return False
            raise
        return job.dataset_id != self._arguments.dataset_id


def _report_left_out(chosen: selection.ScoredRows, held_out: int, notify: Notify) -> None:
    """Reports the rows that are left out."""
    if chosen.unanswered:
        notify(
            f"{chosen.unanswered} of {held_out} held-out conversations are left out: they do not "
            "end with an assistant's answer to another message, or that answer has weight 0."
        )
    if chosen.trained_on:
        notify(
            f"{chosen.trained_on} of {held_out} held-out rows are left out: rows with the same "
            "text were trained on."
        )
