"""A fine-tuning job with Axolotl: model, dataset and a YAML config -> LoRA adapter."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from datasets import Dataset

from ft.api import GetConfigRequest, ModelMetadata
from ft.job_protocol.variables import JOB_ARGUMENTS
from rows import templates, values
from trainer.axolotl.context import TrainingContext
from trainer.axolotl.resolve import JobPaths, resolve_config
from trainer.errors import ArgumentsError, UnsupportedError, WorkerError
from trainer.job.claim import attempt
from trainer.job.run import ending, kill
from trainer.job.studio import model_reference
from trainer.model import adapter_checks, hub, saving, vocabulary
from trainer.model.hardware import detect
from trainer.model.loading import load_structure, load_tokenizer
from trainer.training import checkpoints
from trainer.training.base import FineTuningBase
from trainer.workers.outcome import WorkerFiles, ended

POLL_SECONDS = 0.25
_TIME = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?Z?)?")
"""Texts that the loader converts to times if a column has no others."""


class AxolotlFineTuning(FineTuningBase):
    """A job with Axolotl, which trains in a separate process."""

    def run(self) -> None:
        """Runs the job. Raises TrainerError or StudioError for errors that the user can resolve."""
        if importlib.util.find_spec("axolotl") is None:
            raise UnsupportedError("Axolotl is not installed in the environment of the job.")
        if not self._arguments.axolotl_config_id:
            raise ArgumentsError(f"{JOB_ARGUMENTS}: argument --axolotl_config_id: required")
        # Absolute: Axolotl may take a relative path for a name on the hub.
        self._folder = self._project / self._arguments.train_out_dir
        self._files = WorkerFiles(self._folder, attempt(os.environ))
        self._files.clear()
        model, source = self._look_up_model()
        request = GetConfigRequest(id=self._arguments.axolotl_config_id)
        config = yaml.safe_load(self._studio.GetConfig(request).config.config)
        # Axolotl would also load a model with missing weights.
        tokenizer = load_tokenizer(source, model.commit)
        structure = load_structure(source, model.commit, self._events.notice)
        vocabulary.check(structure, tokenizer, self._events.notice)
        context = self._make_context(config, model, source)
        context.write(self._folder)
        self._train(self._write_config(context))
        saving.save_copy(self._folder / "axolotl", model_reference(model), self._target)
        self._announce()

    def _make_context(self, config: Any, model: ModelMetadata, source: str) -> TrainingContext:
        train, held_out = self._read_rows()
        prompt = self._look_up_prompt()
        lines = self._lines("train", train)
        self._lines("held_out", held_out)
        content = [{"config": json.dumps(config, default=str)}, *({"row": line} for line in lines)]
        return TrainingContext(
            identity=checkpoints.identity(self._arguments, content),
            started={
                "train_rows": len(train),
                "eval_rows": len(held_out),
                "base_model": model.name,
            },
            templates=templates.of(prompt),
            samples=self._samples(prompt, train, held_out),
            data=self._about_rows(train, held_out),
            source=source,
            commit=model.commit,
            run=adapter_checks.run_of(model),
            config=config,
            base=model_reference(model),
        )

    def _lines(self, name: str, rows: Dataset) -> list[str]:
        """Writes the file of rows that Axolotl reads, and returns its lines.

        Numbers are written as texts: Axolotl's loader would change how they are written.
        """
        kept = (str, list, dict, type(None))
        made = [
            {
                name: one if isinstance(one, kept) else values.as_text(one)
                for name, one in row.items()
            }
            for row in rows
        ]
        for column in rows.column_names:
            found = [row[column] for row in made if row[column]]
            if found and all(isinstance(one, str) and _TIME.fullmatch(one) for one in found):
                self._events.notice(
                    f"All texts of column {column} are dates or times: Axolotl's loader converts "
                    "them, and may write them differently, such as 2024-01-05 00:00:00."
                )
        lines = [values.to_json(row) for row in made]
        self._rows_file(name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return lines

    def _rows_file(self, name: str) -> Path:
        return self._folder / f"{name}.jsonl"

    def _write_config(self, context: TrainingContext) -> Path:
        output = self._folder / "axolotl"
        paths = JobPaths(
            base_model=context.source,
            commit=context.commit,
            train=self._rows_file("train"),
            held_out=self._rows_file("held_out") if context.started["eval_rows"] else None,
            output=output,
            prepared=self._folder / "axolotl-prepared",
            checkpoint=checkpoints.find_resume_checkpoint(
                output, context.identity, self._rows_source, self._events
            ),
        )
        on_gpu = detect().on_gpu
        config = dict(context.config)
        content = resolve_config(config, paths, on_gpu=on_gpu, notify=self._events.notice)
        file = self._folder / "axolotl.yaml"
        file.write_text(yaml.safe_dump(content, allow_unicode=True))
        return file

    def _train(self, config: Path) -> None:
        token = hub.token()
        # Otherwise it and its libraries take all cores of the machine.
        cpus = str(detect(self._arguments.dist_cpu).cpus)
        environment = {
            **os.environ,
            "AXOLOTL_DO_NOT_TRACK": "1",
            "DO_NOT_TRACK": "1",
            "OMP_NUM_THREADS": cpus,
            "AXOLOTL_DATASET_NUM_PROC": cpus,
            **({"HF_TOKEN": token} if token else {}),
        }
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "trainer.axolotl.process", str(os.getpid()), str(config)],
            env=environment,
        )
        with ending(lambda: kill(process)):
            while process.poll() is None:
                self._events.touched()
                time.sleep(POLL_SECONDS)
        if process.returncode:
            found = self._files.read(0)
            if found is not None:
                raise WorkerError(found.reason, found.kind, found.detail)
            found = ended(0, process.returncode)
            raise WorkerError(f"Axolotl {found.reason}", found.kind)
