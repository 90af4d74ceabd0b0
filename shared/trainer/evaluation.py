"""An evaluation job: what a model, alone or with an adapter, makes of held-out rows."""

import time
from pathlib import Path
from typing import Any

import torch
from transformers import set_seed

from ft.api import (
    GetAdapterRequest,
    GetModelRequest,
    GetPromptRequest,
    PromptMetadata,
)
from rows import shares, templates
from trainer import results, scores, settings, tracking
from trainer.arguments import EvaluateArguments
from trainer.errors import TrackingError
from trainer.events import EventLog
from trainer.generate import continue_texts
from trainer.hardware import Hardware, detect, fit_quantisation
from trainer.held_out import HeldOutRows
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
        self._names: list[str] = []
        """Of the base model and the adapter, once they are loaded."""

    def run(self) -> None:
        """Raises TrainerError or StudioError where the user can do something about it."""
        arguments = self._arguments
        prompt = self._studio.GetPrompt(GetPromptRequest(id=arguments.prompt_id)).prompt
        held_out = HeldOutRows(arguments, self._studio, self._project)
        rows = held_out.load(prompt, self._events.notice)
        # Everything that may be wrong with the settings shows before the model is loaded.
        parent = arguments.job_id or Path(arguments.result_dir).name
        experiment = tracking.open_experiment(f"Run: {parent}", self._project)
        hardware = detect()
        torch.set_num_threads(hardware.cpus)
        model, tokenizer = self._load(hardware)
        generation = settings.make_generation_config(arguments.generation_config, tokenizer)
        self._events.write(
            "started", total_steps=len(rows), eval_rows=len(rows), seed=shares.EVALUATION_SEED
        )
        begin = time.monotonic()
        done = self._generate(model, tokenizer, generation, rows, prompt)
        self._finish(done, experiment, time.monotonic() - begin)

    def _finish(self, done: list[results.Result], experiment: str, seconds: float) -> None:
        arguments = self._arguments
        rows = scores.of_rows(done, self._events.notice)
        metrics = scores.of_all(rows)
        files = results.write_files(Path(arguments.result_dir), done, rows, metrics)
        self._events.write("metrics", metrics=metrics, rows=len(done))
        params = {**arguments.shown(), "rows": len(done), "seed": shares.EVALUATION_SEED}
        run = tracking.Run(" + ".join(self._names), seconds, params, metrics, files)
        try:
            tracking.log(experiment, run)
        except TrackingError as error:
            # The results are kept, and this is no reason to work for them once more.
            self._events.notice(f"The results are not in MLflow. {error}")

    def _load(self, hardware: Hardware) -> tuple[Any, Any]:
        arguments = self._arguments
        record = self._studio.GetModel(GetModelRequest(id=arguments.base_model_id)).model
        self._names.append(record.name)
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
        self._names.append(adapter.name)
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
