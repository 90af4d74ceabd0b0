"""Warnings of the libraries, as notices of the job.

The libraries write them into the log, where nobody looks: `transformers` that a setting is ignored,
`trl` that rows are dropped, `peft` that a module is left out. All of them are told, but for those
that are known to change nothing.
"""

import logging
import re
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path, PurePath
from typing import Any, Self

LIBRARIES = (
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "datasets",
    "bitsandbytes",
    "torch",
    "axolotl",
)
UNKNOWN = "A library"
"""Has warned in the name of the studio's code that calls it."""
MOST_NOTICES = 20
"""Of one process. What is more is in the job's log alone."""
MOST_CHARACTERS = 500
_STUDIO = Path(__file__).parents[1]
_IGNORED = re.compile(
    r"\b(ignor(e|ed|ing)|no effect|not (be )?used|not support(ed)?)\b", re.IGNORECASE
)
"""What makes a deprecation more than advice to whoever wrote the code."""
_DEPRECATED = re.compile(r"deprecat|will be removed in|has been renamed", re.IGNORECASE)
_OF_CODE = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
"""Classes of warnings that are advice to whoever wrote the code."""
_HARMLESS = re.compile(
    "|".join(
        (
            # How checkpoints are ordered: by their numbers, as the studio has it anyhow.
            r"mtime may not be reliable",
            # The library gives model and tokenizer the same special tokens, as they must be.
            r"tokenizer has new PAD/BOS/EOS tokens that differ from the model config",
            # Weights that are missing or unexpected: the studio refuses or tells them by name.
            r"LOAD REPORT",
            # A cache is of use for generating alone.
            r"`use_cache=True` is incompatible with gradient checkpointing",
            # The way a layer keeps its weights, which the library finds out.
            r"fan_in_fan_out is set to (True|False) but the target module is",
            # Kernels and memory: speed, and not numbers.
            r"OMP_NUM_THREADS/MKL_NUM_THREADS unset|Setting TOKENIZERS_PARALLELISM=false",
            r"Skipping caching allocator warmup|pin_memory|non_blocking",
            r"kernels? (is|are) not available|Failed to load CPU gemm_4bit_forward",
            r"find_unused_parameters=True was specified in DDP constructor",
            r"Redirects are currently not supported",
            # A length is looked at by the studio itself, which tells what is cut off.
            r"Token indices sequence length is longer than the specified maximum",
            # Of one process among several on this machine.
            r"num_proc must be <=|num_proc from \d+ (back )?to",
            # Progress and reports.
            r"lr value before scheduler/optimizer started stepping",
            r"Detected call of `lr_scheduler\.step\(\)` before `optimizer\.step\(\)`",
            # Settings of where reports go are told by the studio.
            r"MLflow's log_param\(\) only accepts values",
            # A copy of the weights that a merge of 4 or 8 bits rounds: merged exports are of 32.
            r"get different generations due to rounding errors",
        )
    ),
    re.IGNORECASE,
)
_COLOURS = re.compile("\x1b\\[[0-9;]*m")
_VARIES = re.compile(r"\d[\d.,_e+-]*|0x[0-9a-f]+", re.IGNORECASE)
"""What two warnings of the same kind may differ in: a step, a length, an address."""


class LibraryWarnings:
    """Tells such warnings while it is entered: each kind once, and not without end.

    Records are seen when they are made, since libraries replace the handlers of their loggers.
    """

    def __init__(self, notify: Callable[[str], None]) -> None:
        self._notify = notify
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        self._make = logging.getLogRecordFactory()
        self._show = warnings.showwarning
        logging.setLogRecordFactory(self._made)
        warnings.showwarning = self._warned
        return self

    def __exit__(self, *_: object) -> None:
        warnings.showwarning = self._show
        logging.setLogRecordFactory(self._make)

    def _made(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        library = record.name.partition(".")[0]
        if record.levelno >= logging.WARNING and library in LIBRARIES:
            try:
                self._tell(library, record.getMessage(), advice=False)
            except Exception:
                # A record that cannot be written out is the business of whoever prints it.
                return record
        return record

    def _warned(self, message: Any, category: Any, filename: str, *rest: Any, **more: Any) -> None:
        self._show(message, category, filename, *rest, **more)
        library = _library(filename, category)
        if library in LIBRARIES or library == UNKNOWN:
            advice = issubclass(category, _OF_CODE)
            self._tell(library, str(message), advice=advice)

    def _tell(self, library: str, text: str, *, advice: bool) -> None:
        line = " ".join(_COLOURS.sub("", text).split())
        kind = _VARIES.sub("0", line)
        if not line or kind in self._told or _HARMLESS.search(line):
            return
        if (advice or _DEPRECATED.search(line)) and not _IGNORED.search(line):
            return
        if len(self._told) >= MOST_NOTICES:
            return
        self._told.add(kind)
        short = len(line) <= MOST_CHARACTERS
        shown = line if short else line[: MOST_CHARACTERS - 1] + "…"
        self._notify(f"{library}: {shown}")
        if len(self._told) == MOST_NOTICES:
            self._notify("Further warnings of the libraries are in the job's log alone.")


def _library(filename: str, category: type[Warning]) -> str:
    """The package that a warning is of: that of its class, or of the file that it was raised for,
    which may be the caller's."""
    package = category.__module__.partition(".")[0]
    if package in LIBRARIES:
        return package
    path = PurePath(filename)
    for folder, name in pairwise(path.parts):
        if folder.endswith("-packages"):
            return name.removesuffix(path.suffix)
    return UNKNOWN if path.is_relative_to(_STUDIO) else ""
