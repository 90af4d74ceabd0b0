"""A fine-tuning job with Axolotl: model, data and a YAML config -> LoRA adapter."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from ft.api import GetConfigRequest, GetDatasetRequest, GetModelRequest
from rows import reading, shares
from trainer import checkpoints, hub, saving
from trainer.arguments import FineTuneArguments
from trainer.axolotl.resolve import ABOUT, Places, resolved
from trainer.claim import attempt
from trainer.errors import ArgumentsError, UnsupportedError, WorkerError
from trainer.events import EventLog
from trainer.hardware import detect
from trainer.job import ending, kill
from trainer.outcome import WorkerFiles, ended
from trainer.registration import announce
from trainer.studio import Studio, model_reference, model_source

LOOK_SECONDS = 0.25


class AxolotlTuning:
    """One job, from what its arguments name to the saved and registered adapter."""

    def __init__(
        self, arguments: FineTuneArguments, studio: Studio, events: EventLog, project: Path
    ) -> None:
        self._arguments = arguments
        self._studio = studio
        self._events = events
        self._project = project
        # Absolute, since Axolotl takes a path that is not for a name on the hub as well.
        self._folder = project / arguments.train_out_dir
        self._files = WorkerFiles(self._folder, attempt(os.environ))

    def run(self) -> None:
        """Raises TrainerError or StudioError where the user can do something about it."""
        arguments = self._arguments
        if importlib.util.find_spec("axolotl") is None:
            raise UnsupportedError("Axolotl is not installed in the environment of the job.")
        if not arguments.axolotl_config_id:
            raise ArgumentsError("JOB_ARGUMENTS: argument --axolotl_config_id: required")
        model = self._studio.GetModel(GetModelRequest(id=arguments.base_model_id)).model
        request = GetConfigRequest(id=arguments.axolotl_config_id)
        config = yaml.safe_load(self._studio.GetConfig(request).config.config)
        self._files.clear()
        train, held_out = self._rows()
        identity = checkpoints.identity(
            arguments, [{"config": json.dumps(config, default=str)}, *({"row": r} for r in train)]
        )
        file = self._write(config, model_source(model, self._project), bool(held_out), identity)
        started = {
            "train_rows": len(train),
            "eval_rows": len(held_out),
            "base_model": model.name,
        }
        self._train(file, {"identity": identity, "started": started})
        target = self._project / arguments.out_dir
        saving.take_adapter(self._folder / "axolotl", model_reference(model), target)
        announce(self._studio, self._events, arguments, self._project)

    def _rows(self) -> tuple[list[str], list[str]]:
        """Rows to train on and rows held out, as lines of files in the job's folder."""
        request = GetDatasetRequest(id=self._arguments.dataset_id)
        dataset = self._studio.GetDataset(request).dataset
        parts = shares.split(
            reading.load(dataset, self._project, hub.token()),
            self._arguments.dataset_fraction,
            self._arguments.train_test_split,
        )
        for part, name in zip(parts, ("train", "held_out"), strict=True):
            part.to_json(self._rows_file(name))
        train, held_out = (self._rows_file(name) for name in ("train", "held_out"))
        return train.read_text().splitlines(), held_out.read_text().splitlines()

    def _rows_file(self, name: str) -> Path:
        return self._folder / f"{name}.jsonl"

    def _write(self, config: Any, source: str, has_held_out: bool, identity: str) -> Path:
        output = self._folder / "axolotl"
        places = Places(
            base_model=source,
            train=self._rows_file("train"),
            held_out=self._rows_file("held_out") if has_held_out else None,
            output=output,
            prepared=self._folder / "axolotl-prepared",
            checkpoint=checkpoints.to_go_on_from(output, identity, self._events),
        )
        on_gpu = detect().on_gpu
        content = resolved(config, places, on_gpu=on_gpu, notify=self._events.notice)
        file = self._folder / "axolotl.yaml"
        file.write_text(yaml.safe_dump(content, allow_unicode=True))
        return file

    def _train(self, config: Path, about: dict[str, Any]) -> None:
        token = hub.token()
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "trainer.axolotl.process", str(os.getpid()), str(config)],
            env={
                **os.environ,
                ABOUT: json.dumps(about),
                "AXOLOTL_DO_NOT_TRACK": "1",
                "DO_NOT_TRACK": "1",
                **({"HF_TOKEN": token} if token else {}),
            },
        )

        with ending(lambda: kill(process)):
            while process.poll() is None:
                self._events.touched()
                time.sleep(LOOK_SECONDS)
        if process.returncode:
            raise self._error(process.returncode)

    def _error(self, status: int) -> WorkerError:
        found = self._files.read(0)
        if found is not None:
            return WorkerError(found.reason, found.kind, found.detail)
        found = ended(0, status)
        return WorkerError(f"Axolotl {found.reason}", found.kind)
