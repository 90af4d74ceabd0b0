"""An evaluation job: what a model, alone or with an adapter, makes of held-out rows."""

import time
from pathlib import Path
from typing import Any

import torch
from transformers import set_seed

from ft.api import (
    GetAdapterRequest,
    GetDatasetRequest,
    GetDatasetSplitByAdapterRequest,
    GetModelRequest,
    GetPromptRequest,
    PromptMetadata,
)
from rows import reading, shares, templates
from rows.errors import DataError
from trainer import hub, results, settings
from trainer.arguments import EvaluateArguments
from trainer.events import EventLog
from trainer.generate import continue_texts
from trainer.hardware import Hardware, detect, fit_quantisation
from trainer.model import load_adapter, load_model, load_tokenizer, weight_type
from trainer.studio import Studio, model_source

SAMPLES = 8
"""Rows that are told as events, for a first look."""


class Evaluation:
    """One job, from what its arguments name to its files of results."""

    def __init__(
        self, arguments: EvaluateArguments, studio: Studio, events: EventLog, project: Path
    ) -> None:
        self._arguments = arguments
        self._studio = studio
        self._events = events
        self._project = project

    def run(self) -> None:
        """Raises TrainerError or StudioError where the user can do something about it."""
        prompt = self._studio.GetPrompt(GetPromptRequest(id=self._arguments.prompt_id)).prompt
        rows = self._rows(prompt)
        hardware = detect()
        torch.set_num_threads(hardware.cpus)
        model, tokenizer = self._load(hardware)
        generation = settings.make_generation_config(self._arguments.generation_config, tokenizer)
        self._events.write(
            "started", total_steps=len(rows), eval_rows=len(rows), seed=shares.EVALUATION_SEED
        )
        done = self._generate(model, tokenizer, generation, rows, prompt)
        scores = results.metrics(done)
        results.write_files(Path(self._arguments.result_dir), done, scores)
        self._events.write("metrics", metrics=scores, rows=len(done))

    def _rows(self, prompt: PromptMetadata) -> Any:
        """Rows that the comparison adapter was not trained on, sampled."""
        arguments = self._arguments
        dataset = self._studio.GetDataset(GetDatasetRequest(id=arguments.dataset_id)).dataset
        used = self._studio.GetDatasetSplitByAdapter(
            GetDatasetSplitByAdapterRequest(adapter_id=arguments.comparison_adapter_id)
        ).response
        splits = reading.load(dataset, self._project, hub.token())
        _, held_out = shares.split(splits, used.dataset_fraction, used.train_test_split)
        scored = shares.scored(held_out, arguments.eval_dataset_fraction)
        columns = held_out.column_names
        templates.check_columns(prompt.input_template, columns, "input_template")
        templates.check_columns(prompt.completion_template, columns, "completion_template")
        for name in arguments.selected_features:
            if name not in columns:
                raise DataError(f"selected_features: the dataset has no column {name}.")
        return scored

    def _load(self, hardware: Hardware) -> tuple[Any, Any]:
        arguments = self._arguments
        record = self._studio.GetModel(GetModelRequest(id=arguments.base_model_id)).model
        source = model_source(record, self._project)
        # The adapter lies on the base model, whose weights are the only ones to be quantised.
        name = "model_bnb_config" if arguments.model_bnb_config else "adapter_bnb_config"
        wanted = fit_quantisation(
            arguments.model_bnb_config or arguments.adapter_bnb_config,
            hardware,
            self._events.notice,
        )
        quantisation = settings.make_quantisation_config(name, wanted)
        tokenizer = load_tokenizer(source)
        model = load_model(source, hardware, weight_type(hardware), quantisation)
        if not arguments.adapter_id:
            return model, tokenizer
        request = GetAdapterRequest(id=arguments.adapter_id)
        adapter = self._studio.GetAdapter(request).adapter
        return load_adapter(model, adapter, self._project), tokenizer

    def _generate(
        self, model: Any, tokenizer: Any, generation: Any, rows: Any, prompt: PromptMetadata
    ) -> list[results.Result]:
        set_seed(shares.EVALUATION_SEED)
        rows = list(rows)
        inputs = [templates.fill(prompt.input_template, row) for row in rows]
        done: list[results.Result] = []
        begin = reported = time.monotonic()
        written = continue_texts(model, tokenizer, generation, inputs)
        for row, text, continuation in zip(rows, inputs, written, strict=True):
            result = results.Result(
                model_input=text,
                expected_output=templates.fill(prompt.completion_template, row),
                model_output=continuation.text,
                seconds=continuation.seconds,
                features={name: str(row[name]) for name in self._arguments.selected_features},
            )
            done.append(result)
            if len(done) <= SAMPLES:
                self._tell_sample(result)
            now = time.monotonic()
            if now - reported >= 1 or len(done) == len(rows):
                reported = now
                self._tell_progress(len(done), len(rows), now - begin)
        return done

    def _tell_sample(self, result: results.Result) -> None:
        self._events.write(
            "sample",
            input=result.model_input,
            expected=result.expected_output.strip(),
            output=result.model_output.strip(),
        )

    def _tell_progress(self, done: int, total: int, elapsed: float) -> None:
        left = elapsed / done * (total - done)
        self._events.write(
            "progress", step=done, total_steps=total, epoch=0.0, seconds_left=round(left, 1)
        )
