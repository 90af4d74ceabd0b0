"""An evaluation job: what a model, alone or with an adapter, makes of held-out rows."""

import time
from pathlib import Path
from typing import Any

import torch
from transformers import set_seed

from ft.api import GetPromptRequest
from ft.job_protocol.events import Metrics, Progress, SampleAnswered, Started
from rows import shares
from rows.values import as_text
from trainer.data import chat, questions
from trainer.data.questions import Questions
from trainer.errors import TrackingError
from trainer.evaluation import answer_length, results, scores
from trainer.evaluation.held_out import HeldOutRows
from trainer.evaluation.subject import Subject
from trainer.job import effective_settings
from trainer.job.arguments import EvaluateArguments
from trainer.job.events import EventLog
from trainer.job.studio import Studio
from trainer.model import fitting
from trainer.model.generation import continue_texts
from trainer.model.hardware import detect
from trainer.schemas import settings
from trainer.tracking import runs

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
        self._subject = Subject(arguments, studio, project, events.notice)

    def run(self) -> None:
        """Raises TrainerError or StudioError where the user can do something about it."""
        arguments = self._arguments
        effective_settings.log_settings(self._studio, arguments.base_model_id, arguments.configs)
        prompt = self._studio.GetPrompt(GetPromptRequest(id=arguments.prompt_id)).prompt
        held_out = HeldOutRows(arguments, self._studio, self._project)
        rows, conversations = held_out.load(prompt, self._events.notice)
        self._subject.tell_reader(held_out.source)
        # What may be wrong with rows and prompt shows before the model is loaded.
        hardware = detect()
        torch.set_num_threads(hardware.cpus)
        tokenizer = self._subject.tokenizer(conversational=conversations is not None)
        asked = questions.of_rows(prompt, rows, conversations, tokenizer)
        if conversations:
            questions.check_rows(rows, conversations, tokenizer, self._events.notice)
        settings.make_generation_config(arguments.generation_config, tokenizer)
        model = self._subject.model(hardware, tokenizer)
        fitting.check_tokens(arguments.generation_config, model)
        ends = chat.end_settings(model, tokenizer, answers=asked.chat)
        config = {**ends, **arguments.generation_config}
        if arguments.fit_answer_length:
            config = answer_length.fitted(config, asked, tokenizer, model, self._events.notice)
        generation = settings.make_generation_config(config, tokenizer, self._events.notice)
        self._events.write(
            Started(total_steps=len(rows), eval_rows=len(rows), seed=shares.EVALUATION_SEED)
        )
        begin = time.monotonic()
        done = self._generate(model, tokenizer, generation, rows, asked)
        answer_length.check_asked(done, model, self._events.notice)
        answer_length.tell_cut_off(done, tokenizer, generation, self._events.notice)
        self._finish(done, time.monotonic() - begin)

    def _finish(self, done: list[results.Result], seconds: float) -> None:
        arguments = self._arguments
        rows = scores.of_rows(done, self._events.notice)
        of_all = scores.of_all(rows)
        files = results.write_files(Path(arguments.result_dir), done, rows, of_all)
        metrics = {name: score for name, score in of_all.items() if score is not None}
        self._events.write(Metrics(metrics=metrics, rows=len(done)))
        params = {**arguments.shown(), "rows": len(done), "seed": shares.EVALUATION_SEED}
        run = runs.Run(" + ".join(self._subject.names), seconds, params, metrics, files)
        parent = arguments.job_id or Path(arguments.result_dir).name
        try:
            runs.log(runs.open_experiment(f"Run: {parent}", self._project), run)
        except TrackingError as error:
            # The results are kept, and this is no reason to work for them once more.
            self._events.notice(f"The results are not in MLflow. {error}")

    def _generate(
        self, model: Any, tokenizer: Any, generation: Any, rows: Any, asked: Questions
    ) -> list[results.Result]:
        set_seed(shares.EVALUATION_SEED)
        done: list[results.Result] = []
        begin = reported = time.monotonic()
        written = continue_texts(model, tokenizer, generation, asked.texts, whole=asked.chat)
        pairs = zip(asked.texts, asked.expected, strict=True)
        for row, (text, expected), continuation in zip(rows, pairs, written, strict=True):
            result = results.Result(
                model_input=text,
                expected_output=expected,
                model_output=continuation.text,
                seconds=continuation.seconds,
                cut_off=continuation.cut_off,
                asked=continuation.asked,
                features={name: as_text(row[name]) for name in self._arguments.selected_features},
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
            SampleAnswered(
                input=result.model_input,
                expected=result.expected_output.strip(),
                output=result.model_output.strip(),
            )
        )

    def _tell_progress(self, done: int, total: int, elapsed: float) -> None:
        left = elapsed / done * (total - done)
        self._events.write(
            Progress(step=done, total_steps=total, epoch=0.0, seconds_left=round(left, 1))
        )
