"""A fine-tuning job with Axolotl: model, data and a YAML config -> LoRA adapter."""

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
from trainer.axolotl.resolve import JobPaths, resolved
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

LOOK_SECONDS = 0.25
_TIME = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?Z?)?")
"""Texts that the loader takes for times if a column has nothing else."""


class AxolotlFineTuning(FineTuningBase):
    """A job with Axolotl, in a process of its own."""

    def run(self) -> None:
        """Raises TrainerError or StudioError where the user can do something about it."""
        if importlib.util.find_spec("axolotl") is None:
            raise UnsupportedError("Axolotl is not installed in the environment of the job.")
        if not self._arguments.axolotl_config_id:
            raise ArgumentsError(f"{JOB_ARGUMENTS}: argument --axolotl_config_id: required")
        # Absolute, since Axolotl takes a path that is not for a name on the hub as well.
        self._folder = self._project / self._arguments.train_out_dir
        self._files = WorkerFiles(self._folder, attempt(os.environ))
        self._files.clear()
        model, source = self._look_up_model()
        request = GetConfigRequest(id=self._arguments.axolotl_config_id)
        config = yaml.safe_load(self._studio.GetConfig(request).config.config)
        self._check_base(source, model.commit)
        about = self._about(config, model, source)
        about.write(self._folder)
        self._train(self._write(about))
        saving.save_copy(self._folder / "axolotl", model_reference(model), self._target)
        self._announce()

    def _check_base(self, source: str, commit: str) -> None:
        """Raises ModelError as the studio's own trainer does: Axolotl loads the model by itself,
        also one whose weights are not its own."""
        tokenizer = load_tokenizer(source, commit)
        model = load_structure(source, commit, self._events.notice)
        vocabulary.check(model, tokenizer, self._events.notice)

    def _about(self, config: Any, model: ModelMetadata, source: str) -> TrainingContext:
        train, held_out = self._read_rows()
        prompt = self._look_up_prompt()
        lines = self._lines("train", train)
        self._lines("held_out", held_out)
        told = [{"config": json.dumps(config, default=str)}, *({"row": line} for line in lines)]
        return TrainingContext(
            identity=checkpoints.identity(self._arguments, told),
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
        """The lines of the file in the job's folder that Axolotl reads the rows from.

        Its loader would write numbers in its own way, so they are texts there.
        """
        made = [{column: _as_text(value) for column, value in row.items()} for row in rows]
        for column in rows.column_names:
            found = [row[column] for row in made if row[column]]
            if found and all(isinstance(one, str) and _TIME.fullmatch(one) for one in found):
                self._events.notice(
                    f"Each text of column {column} is a date or a time: Axolotl's loader takes "
                    "them for times, and may write them otherwise, as 2024-01-05 00:00:00."
                )
        lines = [values.to_json(row) for row in made]
        self._rows_file(name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return lines

    def _rows_file(self, name: str) -> Path:
        return self._folder / f"{name}.jsonl"

    def _write(self, about: TrainingContext) -> Path:
        output = self._folder / "axolotl"
        places = JobPaths(
            base_model=about.source,
            commit=about.commit,
            train=self._rows_file("train"),
            held_out=self._rows_file("held_out") if about.started["eval_rows"] else None,
            output=output,
            prepared=self._folder / "axolotl-prepared",
            checkpoint=checkpoints.find_resume_checkpoint(
                output, about.identity, self._rows_source, self._events
            ),
        )
        on_gpu = detect().on_gpu
        config = dict(about.config)
        content = resolved(config, places, on_gpu=on_gpu, notify=self._events.notice)
        file = self._folder / "axolotl.yaml"
        file.write_text(yaml.safe_dump(content, allow_unicode=True))
        return file

    def _train(self, config: Path) -> None:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "trainer.axolotl.process", str(os.getpid()), str(config)],
            env={**os.environ, **self._environment()},
        )
        with ending(lambda: kill(process)):
            while process.poll() is None:
                self._events.touched()
                time.sleep(LOOK_SECONDS)
        if process.returncode:
            raise self._error(process.returncode)

    def _environment(self) -> dict[str, str]:
        """What the process that trains is told beside what the job is."""
        token = hub.token()
        # Otherwise it and its libraries take all cores of the machine.
        cpus = str(detect(self._arguments.dist_cpu).cpus)
        return {
            "AXOLOTL_DO_NOT_TRACK": "1",
            "DO_NOT_TRACK": "1",
            "OMP_NUM_THREADS": cpus,
            "AXOLOTL_DATASET_NUM_PROC": cpus,
            **({"HF_TOKEN": token} if token else {}),
        }

    def _error(self, status: int) -> WorkerError:
        found = self._files.read(0)
        if found is not None:
            return WorkerError(found.reason, found.kind, found.detail)
        found = ended(0, status)
        return WorkerError(f"Axolotl {found.reason}", found.kind)


def _as_text(value: values.Value) -> Any:
    kept = value is None or isinstance(value, str | list | dict)
    return value if kept else values.as_text(value)
