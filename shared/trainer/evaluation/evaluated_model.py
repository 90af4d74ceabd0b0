"""The model that an evaluation job evaluates: a base model, alone or with an adapter."""

from functools import cached_property
from pathlib import Path
from typing import Any

from ft.api import AdapterMetadata, GetAdapterRequest, GetModelRequest, ModelMetadata
from rows.reading import RowsSource
from trainer.data import chat
from trainer.job.arguments import EvaluateArguments
from trainer.job.studio import Studio, model_source
from trainer.model import adapter_checks, manifest, vocabulary
from trainer.model.hardware import Hardware, Notify, fit_quantisation
from trainer.model.loading import (
    adapter_source,
    load_adapter,
    load_model,
    load_tokenizer,
    report_newest_commit,
    weight_type,
)
from trainer.schemas import settings


class EvaluatedModel:
    """Loads the model of one job. Raises TrainerError or StudioError if it cannot be loaded."""

    def __init__(
        self, arguments: EvaluateArguments, studio: Studio, project: Path, notify: Notify
    ) -> None:
        self._arguments = arguments
        self._studio = studio
        self._project = project
        self._notify = notify
        self.names: list[str] = []
        """Names of the base model and the adapter, once they are loaded."""

    def tokenizer(self, *, conversational: bool) -> Any:
        """The base model's tokenizer; for conversations with the chat template that the adapter was
        trained with."""
        tokenizer = load_tokenizer(self._source, self._record.commit)
        arguments = self._arguments
        alone = not arguments.adapter_id
        adapter_id = arguments.adapter_id or arguments.comparison_adapter_id
        if not conversational or not adapter_id or (alone and tokenizer.chat_template):
            return tokenizer
        adapter = self._adapter(adapter_id)
        chat.set_saved_template(adapter_source(adapter, self._project), tokenizer)
        if alone and tokenizer.chat_template:
            self._notify(
                "The base model has no chat template: it is asked with that of adapter "
                f"{adapter.name}."
            )
        return tokenizer

    def model(self, hardware: Hardware, tokenizer: Any) -> Any:
        """The loaded model."""
        arguments = self._arguments
        # Only the weights of the base model are quantised.
        name = "model_bnb_config" if arguments.model_bnb_config else "adapter_bnb_config"
        wanted = fit_quantisation(
            arguments.model_bnb_config or arguments.adapter_bnb_config, hardware, self._notify
        )
        quantisation = settings.make_quantisation_config(name, wanted)
        commit, dtype = self._record.commit, weight_type(hardware)
        model = load_model(
            self._source, hardware, dtype, quantisation, commit=commit, notify=self._notify
        )
        vocabulary.check(model, tokenizer, self._notify)
        if not arguments.adapter_id:
            return model
        adapter = self._adapter(arguments.adapter_id)
        report_newest_commit(adapter, self._project, self._notify)
        self.names.append(adapter.name)
        base = adapter_checks.base_of(self._record, self._source)
        return load_adapter(model, adapter, self._project, base)

    def report_reader_change(self, source: RowsSource) -> None:
        """Reports if the adapter was trained on rows that another version of the reader has
        read."""
        if self._arguments.adapter_id:
            adapter = self._adapter(self._arguments.adapter_id)
            folder = Path(adapter_source(adapter, self._project))
            manifest.report_reader_change(folder, adapter.name, source, self._notify)

    @cached_property
    def _record(self) -> ModelMetadata:
        """The base model's record, with the commit that the adapter, or the comparison adapter, was
        trained on."""
        arguments = self._arguments
        request = GetModelRequest(id=arguments.base_model_id)
        record = self._studio.GetModel(request).model
        self.names.append(record.name)
        if id := arguments.adapter_id or arguments.comparison_adapter_id:
            source = adapter_source(self._adapter(id), self._project)
            adapter_checks.settle_commit(record, source, self._notify)
        return record

    @cached_property
    def _source(self) -> str:
        return model_source(self._record, self._project)

    def _adapter(self, id: str) -> AdapterMetadata:
        return self._studio.GetAdapter(GetAdapterRequest(id=id)).adapter
