"""Checkpoints: saved regularly, complete or absent, and resumed from only by the same job."""

# ruff: noqa: ARG002  # The signatures are the library's.

import hashlib
import json
import os
import time
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from ft.configs.training import evaluation_steps
from ft.job_protocol.events import Resumed
from rows import canonical
from rows.errors import DataError, first_line
from rows.reading import RowsSource
from trainer.job.arguments import FineTuneArguments
from trainer.job.claim import attempt
from trainer.job.events import EventLog
from trainer.model import saving
from trainer.model.hardware import Notify
from trainer.model.hashes import of_file
from trainer.model.manifest import named

COMPLETE_FILE = "complete.json"
"""The file that is written last: a checkpoint without it is incomplete."""
MINUTES = 10.0
"""Interval of checkpoints if the settings have none."""
NO_SOURCE = RowsSource()
"""Source of rows that no reader has read."""
KEPT = 2
"""Number of checkpoints that are kept. While one is saved, the previous one is still needed."""


def identity(arguments: FineTuneArguments, rows: Iterable[Mapping[str, Any]]) -> str:
    """Hash of the job's settings and of the rows that it trains on, in order."""
    digest = hashlib.sha256()
    for part in (
        arguments.base_model_id,
        json.dumps(arguments.training_arguments_config, sort_keys=True),
        json.dumps(arguments.lora_config, sort_keys=True),
        json.dumps(arguments.bnb_config, sort_keys=True),
        canonical.digest(rows),
    ):
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def with_defaults(settings: dict[str, Any]) -> dict[str, Any]:
    """The training settings with an interval of checkpoints.

    If the settings have none, it is after each evaluation if the best step is kept, else by the
    clock.
    """
    if settings.get("load_best_model_at_end"):
        when: dict[str, Any] = {"save_strategy": settings.get("eval_strategy")}
        if when["save_strategy"] == "steps":
            when["save_steps"] = evaluation_steps(settings)
    elif {"save_strategy", "save_steps"} & settings.keys():
        when = {}
    else:
        when = {"save_strategy": "no"}
    return {"save_total_limit": KEPT, **when, **settings}


class CheckpointCallback(TrainerCallback):
    """Requests a checkpoint every `minutes` unless the settings have an interval, and marks
    complete checkpoints with the job's identity.

    `base` is the studio's name of the base model, which a checkpoint then has too; empty keeps the
    library's.
    """

    def __init__(
        self, identity: str, source: RowsSource, minutes: float = MINUTES, base: str = ""
    ) -> None:
        self._base = base
        self._identity = identity
        self._source = source
        self._seconds = minutes * 60
        self._saved = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if args.save_strategy != "no" or state.global_step >= state.max_steps:
            return
        due = time.monotonic() - self._saved >= self._seconds
        if args.world_size > 1:
            # The first process decides: the clocks of several processes differ.
            decided = torch.tensor([due], dtype=torch.uint8, device=args.device)
            torch.distributed.broadcast(decided, src=0)
            due = bool(decided.item())
        control.should_save = control.should_save or due

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._saved = time.monotonic()
        if args.world_size > 1:
            torch.distributed.barrier()  # Each process has saved its part.
        if state.is_world_process_zero:
            folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
            if self._base:
                saving.name_base(folder, self._base)
            mark_complete(folder, self._identity, self._source)


def mark_complete(folder: Path, identity: str, source: RowsSource = NO_SOURCE) -> None:
    """Marks a checkpoint as complete, once all of it is on disk, with the hashes of its files."""
    temporary = folder / f".{COMPLETE_FILE}"
    marks = (COMPLETE_FILE, temporary.name)
    files = [
        path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in marks
    ]
    for file in files:
        _sync(file)
    hashes = {file.relative_to(folder).as_posix(): of_file(file) for file in files}
    mark = {"identity": identity, "reader": source.reader, "rows": source.files, "files": hashes}
    temporary.write_text(json.dumps(mark))
    _sync(temporary)
    temporary.replace(folder / COMPLETE_FILE)
    _sync(folder)


def newest_usable(
    output_dir: Path, identity: str, notify: Notify, source: RowsSource = NO_SOURCE
) -> Path | None:
    """The newest checkpoint that is complete, undamaged and of this job; None if there is none.

    Raises DataError if another version of the reader has read other rows for it: the job cannot
    continue with these.
    """
    found = [path for path in output_dir.glob("checkpoint-*") if _step(path) >= 0]
    skipped = False
    for folder in sorted(found, key=_step, reverse=True):
        try:
            content = json.loads((folder / COMPLETE_FILE).read_text())
        except (OSError, ValueError):
            content = None
        is_complete = isinstance(content, dict) and content.get("identity")
        mark = content if is_complete else {}
        why = _unusable(folder, mark, identity, source)
        if not why:
            if skipped:
                notify(f"Training goes on from the older {folder.name}.")
            if _has_other_reader(mark, source):
                notify(
                    f"The rows of {folder.name} were read by {named(_reader(mark))}; "
                    f"{named(source.reader)} reads the same rows, so the training continues."
                )
            return folder
        skipped = True
        notify(f"{folder.name} is not used: {why}.")
    return None


def _unusable(folder: Path, mark: Mapping[str, Any], identity: str, source: RowsSource) -> str:
    """The reason why training cannot continue from a checkpoint; empty if it can. Raises as
    `newest_usable` does."""
    if not mark.get("identity"):
        return "it was cut off while it was saved"
    if mark["identity"] == identity:
        return _damage(folder, mark.get("files"))
    if _has_other_reader(mark, source):
        raise DataError(
            f"The job cannot continue from {folder.name}: its rows were read by "
            f"{named(_reader(mark))}, and {named(source.reader)} reads them differently, or the "
            "settings or the data have changed since. Start a new job."
        )
    return "it was saved with other settings or other data"


def _has_other_reader(mark: Mapping[str, Any], source: RowsSource) -> bool:
    """Tells whether another version of the reader has read the rows of a checkpoint."""
    # Rows that the library has read have no version.
    return source.reader is not None and _reader(mark) != source.reader


def _damage(folder: Path, hashes: Any) -> str:
    """The fault of a damaged checkpoint, with its file; empty if there is none."""
    try:
        if isinstance(hashes, dict):
            changed = (name for name, known in hashes.items() if of_file(folder / name) != known)
        else:  # Earlier versions stored no hashes.
            changed = (file.name for file in folder.iterdir() if not _is_whole(file))
        name = next(changed, "")
        if name:
            return f"its {name} is damaged"
        for file in folder.glob("*.safetensors"):
            with safe_open(file, "pt") as tensors:
                names = tensors.keys()
                if not all(bool(torch.isfinite(tensors.get_tensor(one)).all()) for one in names):
                    return f"its {file.name} has values that are not finite"
        return ""
    except (OSError, SafetensorError, ValueError) as error:
        return f"its files cannot be read: {first_line(error)}"


def _is_whole(file: Path) -> bool:
    """Tells whether a file can be read as the format of its extension."""
    try:
        if file.suffix == ".json":
            json.loads(file.read_text(encoding="utf-8"))
        elif file.suffix in (".pt", ".pth"):
            with zipfile.ZipFile(file) as parts:
                return parts.testzip() is None
        elif file.suffix == ".safetensors":
            with safe_open(file, "pt") as tensors:
                tensors.keys()
    except (OSError, ValueError, zipfile.BadZipFile, SafetensorError):
        return False
    return file.is_dir() or file.stat().st_size > 0


def find_resume_checkpoint(
    output_dir: Path, identity: str, source: RowsSource, events: EventLog
) -> str | None:
    """The checkpoint that an attempt after the first continues from, with an event; None to begin
    anew. Raises DataError as `newest_usable` does."""
    if attempt(os.environ) == 1:
        return None
    found = newest_usable(output_dir, identity, events.notice, source)
    if found is None:
        events.notice(
            "There is no checkpoint to continue from: the training starts from the beginning."
        )
        return None
    events.write(Resumed(checkpoint=found.name))
    return str(found)


def is_final(checkpoint: str) -> bool:
    """Tells whether a checkpoint is that of the last step."""
    state = TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE_NAME))
    return bool(state.global_step >= state.max_steps > 0)


def restore_final(trainer: Any, checkpoint: str) -> None:
    """Restores weights and state of a training that has reached its last step."""
    trainer.state = TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE_NAME))
    best = trainer.state.best_model_checkpoint if trainer.args.load_best_model_at_end else None
    trainer._load_from_checkpoint(best or checkpoint)


def _step(folder: Path) -> int:
    number = folder.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def _reader(mark: Mapping[str, Any]) -> int:
    version = mark.get("reader")
    return version if isinstance(version, int) else 0


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
