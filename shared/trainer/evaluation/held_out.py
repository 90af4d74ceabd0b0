"""Which rows an evaluation job scores: none that its models were trained on."""

from collections.abc import Iterator
from pathlib import Path

import grpc
from datasets import Dataset, DatasetDict

from ft.api import (
    DatasetMetadata,
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
    """The rows of one job, from what its arguments name."""

    def __init__(self, arguments: EvaluateArguments, studio: Studio, project: Path) -> None:
        self._arguments = arguments
        self._studio = studio
        self._project = project
        self.source = RowsSource()
        """What the rows were read from, once they are."""

    def load(self, prompt: PromptMetadata, notify: Notify) -> tuple[Dataset, Conversations | None]:
        """A share of the rows that are held out from the comparison adapter's training, and the
        conversations that the prompt asks about; None if it asks with texts.

        Rows that say the same as one that this adapter, or the job's own, was trained on are left
        out, and it is told how many. Raises DataError if prompt or columns do not fit the dataset,
        or if there is nothing to score.
        """
        arguments = self._arguments
        request = GetDatasetRequest(id=arguments.dataset_id)
        dataset = self._studio.GetDataset(request).dataset
        self._settle_commit(dataset, notify)
        loaded = reading.read(dataset, self._project, hub.token())
        splits, self.source = loaded.splits, loaded.source
        for said in loaded.source.notices:
            notify(said)
        train, held_out = self._split(splits, arguments.comparison_adapter_id)
        self._check_columns(prompt, held_out.column_names)
        templates_used = (prompt.input_template, prompt.completion_template)
        asked = asked_column(*templates_used, held_out, roles_of(dataset))
        chosen = selection.scored(
            held_out,
            [train, *self._own(splits)],
            templates.used_columns(held_out.column_names, *templates_used),
            arguments.eval_dataset_fraction,
            asked,
        )
        _tell(chosen, len(held_out), notify)
        rows = held_out.select(chosen.positions)
        if asked is None:
            templates.report_empty_values(templates_used, rows, notify)
            templates.report_blank_answers(prompt.completion_template, rows, notify)
        return rows, asked

    def _settle_commit(self, dataset: DatasetMetadata, notify: Notify) -> None:
        arguments = self._arguments
        id = arguments.comparison_adapter_id or arguments.adapter_id
        if not id or dataset.type != DatasetType.HUGGINGFACE or self._trained_elsewhere(id):
            return
        adapter = self._studio.GetAdapter(GetAdapterRequest(id=id)).adapter
        adapter_checks.settle_dataset(dataset, adapter_source(adapter, self._project), notify)

    def _split(self, splits: DatasetDict, adapter_id: str) -> tuple[Dataset, Dataset]:
        request = GetDatasetSplitByAdapterRequest(adapter_id=adapter_id)
        used = self._studio.GetDatasetSplitByAdapter(request).response
        return selection.split(splits, used.dataset_fraction, used.train_test_split)

    def _own(self, splits: DatasetDict) -> Iterator[Dataset]:
        """What the job's own adapter was trained on, where that is another than the comparison's:
        it may have had a larger share of the same rows."""
        adapter_id = self._arguments.adapter_id
        if adapter_id in ("", self._arguments.comparison_adapter_id):
            return
        if self._trained_elsewhere(adapter_id):
            return
        try:
            yield self._split(splits, adapter_id)[0]
        except EmptyError:
            return

    def _trained_elsewhere(self, adapter_id: str) -> bool:
        """Whether the adapter is known to come from another dataset."""
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

    def _check_columns(self, prompt: PromptMetadata, columns: list[str]) -> None:
        templates.check_columns(prompt.input_template, columns, "input_template")
        templates.check_columns(prompt.completion_template, columns, "completion_template")
        for name in self._arguments.selected_features:
            if name not in columns:
                raise DataError(f"selected_features: the dataset has no column {name}.")


def _tell(chosen: selection.ScoredRows, held_out: int, notify: Notify) -> None:
    """Tells which rows are left out."""
    if chosen.unanswered:
        notify(
            f"{chosen.unanswered} of {held_out} held-out conversations are left out: they do not "
            "end with an assistant's answer to something, or the answer has the weight 0."
        )
    if chosen.trained_on:
        notify(
            f"{chosen.trained_on} of {held_out} held-out rows are left out: rows that say the same "
            "were trained on."
        )
