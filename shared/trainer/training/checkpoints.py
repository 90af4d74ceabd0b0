"""Checkpoints: saved now and then, whole or not there, and resumed from only by the same job."""

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
"""Written last: a checkpoint without it was cut off while it was saved."""
MINUTES = 10.0
"""How often training is saved where its settings do not say when."""
NO_SOURCE = RowsSource()
"""Of rows that were read by nobody in particular."""
KEPT = 2
"""How many are kept. While one is saved, the one before it is still needed."""


def identity(arguments: FineTuneArguments, rows: Iterable[Mapping[str, Any]]) -> str:
    """What a checkpoint is of: the job's settings and the very rows it trains on, in order."""
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
    """The training settings with when to save: where they do not say it, after each evaluation if
    the best step is kept, else by the clock."""
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
    """Asks for a checkpoint every so many `minutes` unless the settings do, and marks each one that
    is complete with the job's identity.

    `base` is how the studio names the base model, and so what a checkpoint names it; empty leaves
    what the library has written."""

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
        control.should_save = control.should_save or _as_first(args, due)

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


def _as_first(args: TrainingArguments, due: bool) -> bool:
    """What the first of several processes decides, whose clocks differ."""
    if args.world_size == 1:
        return due
    decided = torch.tensor([due], dtype=torch.uint8, device=args.device)
    torch.distributed.broadcast(decided, src=0)
    return bool(decided.item())


def mark_complete(folder: Path, identity: str, source: RowsSource = NO_SOURCE) -> None:
    """Marks a checkpoint as whole, once all of it is on disk, with the hashes of its files."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _is_mark(path)]
    for file in files:
        _sync(file)
    hashes = {file.relative_to(folder).as_posix(): of_file(file) for file in files}
    temporary = folder / f".{COMPLETE_FILE}"
    mark = {"identity": identity, "reader": source.reader, "rows": source.files, "files": hashes}
    temporary.write_text(json.dumps(mark))
    _sync(temporary)
    temporary.replace(folder / COMPLETE_FILE)
    _sync(folder)


def newest_usable(
    output_dir: Path, identity: str, notify: Notify, source: RowsSource = NO_SOURCE
) -> Path | None:
    """The newest checkpoint that is whole, undamaged and of this job; None if there is none.

    Raises DataError if another version of the reader has read other rows for it: what it has
    learned is not what the job would go on with.
    """
    found = [path for path in output_dir.glob("checkpoint-*") if _step(path) >= 0]
    skipped = False
    for folder in sorted(found, key=_step, reverse=True):
        mark = _mark(folder)
        why = _unusable(folder, mark, identity, source)
        if not why:
            if skipped:
                notify(f"Training goes on from the older {folder.name}.")
            if _has_other_reader(mark, source):
                notify(
                    f"{folder.name} was saved by a job whose rows {named(_reader(mark))} has read; "
                    f"{named(source.reader)} reads the same, and the training goes on."
                )
            return folder
        skipped = True
        notify(f"{folder.name} is not used: {why}.")
    return None


def _unusable(folder: Path, mark: Mapping[str, Any], identity: str, source: RowsSource) -> str:
    """Why training cannot go on from a checkpoint; empty if it can. Raises as
    `newest_usable` does."""
    if not mark.get("identity"):
        return "it was cut off while it was saved"
    if mark["identity"] == identity:
        return _damage(folder, mark.get("files"))
    if _has_other_reader(mark, source):
        raise DataError(
            f"The job began with rows as {named(_reader(mark))} has read them, and "
            f"{named(source.reader)} reads them otherwise, or settings or data are others since: "
            f"it cannot go on from {folder.name}. Start a new job."
        )
    return "it belongs to other settings or data"


def _has_other_reader(mark: Mapping[str, Any], source: RowsSource) -> bool:
    """Whether another version of the reader has read the rows of a checkpoint."""
    # Where the library has read the rows, in any release, there is no version.
    return source.reader is not None and _reader(mark) != source.reader


def _damage(folder: Path, hashes: Any) -> str:
    """Which file of a checkpoint is not what was saved; empty if none is."""
    try:
        if isinstance(hashes, dict):
            changed = (name for name, known in hashes.items() if of_file(folder / name) != known)
        else:  # of an earlier version, which kept no hashes
            changed = (file.name for file in folder.iterdir() if not _is_whole(file))
        name = next(changed, "")
        if name:
            return f"its {name} is damaged"
        unfit = (file.name for file in folder.glob("*.safetensors") if not _is_finite(file))
        name = next(unfit, "")
        return f"its {name} has values that are not finite" if name else ""
    except (OSError, SafetensorError, ValueError) as error:
        return f"its files cannot be read: {first_line(error)}"


def _is_whole(file: Path) -> bool:
    """Whether a file can be read as what its name says."""
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


def _is_finite(file: Path) -> bool:
    with safe_open(file, "pt") as tensors:
        names = tensors.keys()
        return all(bool(torch.isfinite(tensors.get_tensor(name)).all()) for name in names)


def _is_mark(path: Path) -> bool:
    return path.name in (COMPLETE_FILE, f".{COMPLETE_FILE}")


def find_resume_checkpoint(
    output_dir: Path, identity: str, source: RowsSource, events: EventLog
) -> str | None:
    """Where an attempt after the first goes on; None to begin anew. The user is told. Raises
    DataError as `newest_usable` does."""
    if attempt(os.environ) == 1:
        return None
    found = newest_usable(output_dir, identity, events.notice, source)
    if found is None:
        events.notice("There is no checkpoint to go on from; training begins anew.")
        return None
    events.write(Resumed(checkpoint=found.name))
    return str(found)


def is_final(checkpoint: str) -> bool:
    """Whether a checkpoint is that of a training's last step."""
    state = TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE_NAME))
    return bool(state.global_step >= state.max_steps > 0)


def restore_final(trainer: Any, checkpoint: str) -> None:
    """Gives the trainer the weights and the state of a training that has come to its end."""
    trainer.state = TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE_NAME))
    best = trainer.state.best_model_checkpoint if trainer.args.load_best_model_at_end else None
    trainer._load_from_checkpoint(best or checkpoint)


def _step(folder: Path) -> int:
    number = folder.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def _mark(folder: Path) -> dict[str, Any]:
    """What stands in a checkpoint that is whole; nothing of another one."""
    try:
        content = json.loads((folder / COMPLETE_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) and content.get("identity") else {}


def _reader(mark: Mapping[str, Any]) -> int:
    version = mark.get("reader")
    return version if isinstance(version, int) else 0


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
