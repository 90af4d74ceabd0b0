"""An evaluation job: a model, alone or with an adapter, answers held-out rows and is scored."""

import time
from pathlib import Path
from typing import Any

import torch
from transformers import set_seed

from ft.api import GetPromptRequest
from ft.job_protocol.events import Metrics, Progress, SampleAnswered, Started
from rows import selection
from rows.values import as_text
from trainer.data import chat, questions
from trainer.data.questions import Questions
from trainer.errors import TrackingError
from trainer.evaluation import answer_length, results, scores
from trainer.evaluation.evaluated_model import EvaluatedModel
from trainer.evaluation.held_out import HeldOutRows
from trainer.job import effective_settings
from trainer.job.arguments import EvaluateArguments
from trainer.job.events import EventLog
from trainer.job.studio import Studio
from trainer.model import settings_checks
from trainer.model.generation import continue_texts
from trainer.model.hardware import detect
from trainer.schemas import settings
from trainer.tracking import runs

SAMPLES = 8
"""Number of rows that are also written as events."""


class Evaluation:
    """One job, from its arguments to its result files."""

    def __init__(
        self, arguments: EvaluateArguments, studio: Studio, events: EventLog, project: Path
    ) -> None:
        self._arguments = arguments
        self._studio = studio
        self._events = events
        self._project = project
        self._subject = EvaluatedModel(arguments, studio, project, events.notice)

    def run(self) -> None:
        """Runs the job. Raises TrainerError or StudioError for errors that the user can resolve."""
        arguments = self._arguments
        effective_settings.log_settings(self._studio, arguments.base_model_id, arguments.configs)
        prompt = self._studio.GetPrompt(GetPromptRequest(id=arguments.prompt_id)).prompt
        held_out = HeldOutRows(arguments, self._studio, self._project)
        rows, conversations = held_out.load(prompt, self._events.notice)
        self._subject.report_reader_change(held_out.source)
        # Faults of rows and prompt are found before the model is loaded.
        hardware = detect()
        torch.set_num_threads(hardware.cpus)
        tokenizer = self._subject.tokenizer(conversational=conversations is not None)
        asked = questions.of_rows(prompt, rows, conversations, tokenizer)
        if conversations:
            questions.check_rows(rows, conversations, tokenizer, self._events.notice)
        settings.make_generation_config(arguments.generation_config, tokenizer)
        model = self._subject.model(hardware, tokenizer)
        settings_checks.check_tokens(arguments.generation_config, model)
        ends = chat.end_settings(model, tokenizer, answers=asked.chat)
        config = {**ends, **arguments.generation_config}
        if arguments.fit_answer_length:
            config = answer_length.fitted(config, asked, tokenizer, model, self._events.notice)
        generation = settings.make_generation_config(config, tokenizer, self._events.notice)
        self._events.write(
            Started(total_steps=len(rows), eval_rows=len(rows), seed=selection.EVALUATION_SEED)
        )
        begin = time.monotonic()
        done = self._generate(model, tokenizer, generation, rows, asked)
        answer_length.check_asked(done, model, self._events.notice)
        answer_length.report_cut_off(done, tokenizer, generation, self._events.notice)
        self._save_results(done, time.monotonic() - begin)

    def _save_results(self, done: list[results.Result], seconds: float) -> None:
        arguments = self._arguments
        rows = scores.of_rows(done, self._events.notice)
        of_all = scores.of_all(rows)
        files = results.write_files(Path(arguments.result_dir), done, rows, of_all)
        metrics = {name: score for name, score in of_all.items() if score is not None}
        self._events.write(Metrics(metrics=metrics, rows=len(done)))
        params = {**arguments.shown(), "rows": len(done), "seed": selection.EVALUATION_SEED}
        run = runs.Run(" + ".join(self._subject.names), seconds, params, metrics, files)
        parent = arguments.job_id or Path(arguments.result_dir).name
        try:
            runs.log(runs.open_experiment(f"Run: {parent}", self._project), run)
        except TrackingError as error:
            # The results are saved, so the job need not fail and run again.
            self._events.notice(f"The results are not in MLflow. {error}")

    def _generate(
        self, model: Any, tokenizer: Any, generation: Any, rows: Any, asked: Questions
    ) -> list[results.Result]:
        set_seed(selection.EVALUATION_SEED)
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
                self._events.write(
                    SampleAnswered(
                        input=result.model_input,
                        expected=result.expected_output.strip(),
                        output=result.model_output.strip(),
                    )
                )
            now = time.monotonic()
            if now - reported >= 1 or len(done) == len(rows):
                reported = now
                left = (now - begin) / len(done) * (len(rows) - len(done))
                self._events.write(
                    Progress(
                        step=len(done),
                        total_steps=len(rows),
                        epoch=0.0,
                        seconds_left=round(left, 1),
                    )
                )
        return done
