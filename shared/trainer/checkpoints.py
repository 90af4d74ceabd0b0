"""Checkpoints: saved now and then, whole or not there, and resumed from only by the same job."""

# ruff: noqa: ARG002  # The signatures are the library's.

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ft.training import evaluation_steps
from rows import canonical
from rows.errors import DataError
from rows.reading import Source
from trainer.arguments import FineTuneArguments
from trainer.claim import attempt
from trainer.events import EventLog
from trainer.hardware import Notify
from trainer.manifest import named

COMPLETE_FILE = "complete.json"
"""Written last: a checkpoint without it was cut off while it was saved."""
MINUTES = 10.0
"""How often training is saved where its settings do not say when."""
NO_SOURCE = Source()
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
    is complete with the job's identity."""

    def __init__(self, identity: str, source: Source, minutes: float = MINUTES) -> None:
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
            mark_complete(folder, self._identity, self._source)


def _as_first(args: TrainingArguments, due: bool) -> bool:
    """What the first of several processes decides, whose clocks differ."""
    if args.world_size == 1:
        return due
    decided = torch.tensor([due], dtype=torch.uint8, device=args.device)
    torch.distributed.broadcast(decided, src=0)
    return bool(decided.item())


def mark_complete(folder: Path, identity: str, source: Source = NO_SOURCE) -> None:
    """Marks a checkpoint as whole, once all of it is on disk."""
    for file in folder.iterdir():
        _sync(file)
    temporary = folder / f".{COMPLETE_FILE}"
    marked = {"identity": identity, "reader": source.reader, "files": source.files}
    temporary.write_text(json.dumps(marked))
    _sync(temporary)
    temporary.replace(folder / COMPLETE_FILE)
    _sync(folder)


def newest(
    output_dir: Path, identity: str, notify: Notify, source: Source = NO_SOURCE
) -> Path | None:
    """The newest checkpoint that is whole and of this job; None if there is none.

    Raises DataError if another version of the reader has read other rows for it: what it has
    learned is not what the job would go on with.
    """
    found = [path for path in output_dir.glob("checkpoint-*") if _step(path) >= 0]
    for folder in sorted(found, key=_step, reverse=True):
        marked = _marked(folder)
        # Where the library has read the rows, in any release, there is no version.
        other = bool(marked) and source.reader is not None and _reader(marked) != source.reader
        if marked.get("identity") == identity:
            if other:
                notify(
                    f"{folder.name} was saved by a job whose rows {named(_reader(marked))} has "
                    f"read; {named(source.reader)} reads the same, and the training goes on."
                )
            return folder
        if other:
            raise DataError(
                f"The job began with rows as {named(_reader(marked))} has read them, and "
                f"{named(source.reader)} reads them otherwise, or settings or data are others "
                f"since: it cannot go on from {folder.name}. Start a new job."
            )
        why = "belongs to other settings or data" if marked else "was cut off while it was saved"
        notify(f"{folder.name} is not used: it {why}.")
    return None


def to_go_on_from(output_dir: Path, identity: str, source: Source, events: EventLog) -> str | None:
    """Where an attempt after the first goes on; None to begin anew. The user is told. Raises
    DataError as `newest` does."""
    if attempt(os.environ) == 1:
        return None
    found = newest(output_dir, identity, events.notice, source)
    if found is None:
        events.notice("There is no checkpoint to go on from; training begins anew.")
        return None
    events.write("resumed", checkpoint=found.name)
    return str(found)


def _step(folder: Path) -> int:
    number = folder.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def _marked(folder: Path) -> dict[str, Any]:
    """What stands in a checkpoint that is whole; nothing of another one."""
    try:
        content = json.loads((folder / COMPLETE_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) and content.get("identity") else {}


def _reader(marked: Mapping[str, Any]) -> int:
    version = marked.get("reader")
    return version if isinstance(version, int) else 0


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
