"""Warnings of the libraries that say that a setting or data was changed, as notices of the job.

The libraries write them into the log, where nobody looks: `transformers` that a setting is ignored,
`trl` that rows are dropped, `peft` that a module is left out.
"""

import logging
import re
import warnings
from collections.abc import Callable
from typing import Any, Self

LIBRARIES = ("transformers", "trl", "peft", "accelerate", "datasets", "bitsandbytes")
_CHANGED = re.compile(
    r"\b(ignor(e|ed|ing)|overrid(e|es|den|ing)|overwrit(e|ten|ing)|overwrote|replac(ed|ing)|"
    r"dropp(ed|ing)|truncat(ed|ing)|discard(ed|ing)|skipp(ed|ing)|no effect|not be used|"
    r"(is|are) not used|unused|(will|has|have) been? (set|changed|reset|disabled)|disabled?|"
    r"not support(ed)?|falling back|newly initialized|missing keys?|unexpected keys?)\b",
    re.IGNORECASE,
)
_KNOWN = re.compile(
    "mtime may not be reliable"  # how checkpoints are ordered; nothing of the training
    "|is deprecated|deprecation",
    re.IGNORECASE,
)
_MOST = 500


class LibraryWarnings(logging.Handler):
    """Tells such warnings while it is entered, each once."""

    def __init__(self, notify: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._notify = notify
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        for name in LIBRARIES:
            logging.getLogger(name).addHandler(self)
        self._show = warnings.showwarning
        warnings.showwarning = self._warned
        return self

    def __exit__(self, *_: object) -> None:
        warnings.showwarning = self._show
        for name in LIBRARIES:
            logging.getLogger(name).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Tells a line of a library's log."""
        try:
            self._tell(record.name.partition(".")[0], record.getMessage())
        except Exception:
            self.handleError(record)

    def _warned(self, message: Any, category: Any, filename: str, *rest: Any, **more: Any) -> None:
        self._show(message, category, filename, *rest, **more)
        library = next((name for name in LIBRARIES if f"/{name}/" in filename), "")
        if library and not issubclass(category, DeprecationWarning | FutureWarning):
            self._tell(library, str(message))

    def _tell(self, library: str, text: str) -> None:
        line = " ".join(text.split())
        if line in self._told or not _CHANGED.search(line) or _KNOWN.search(line):
            return
        self._told.add(line)
        shown = line if len(line) <= _MOST else line[: _MOST - 1] + "…"
        self._notify(f"{library}: {shown}")
