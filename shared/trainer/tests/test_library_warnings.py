"""Warnings of libraries that say that something was changed become notices."""

import logging
import warnings

import pytest

from trainer.library_warnings import LibraryWarnings


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.mark.parametrize(
    "text",
    [
        "`use_cache=True` is incompatible with gradient checkpointing. Overriding to False.",
        "The following generation flags are not valid and may be ignored: ['temperature'].",
        "Unused kwargs: ['load'].",
        "Some weights were newly initialized: ['lm_head'].",
        "3 rows were dropped",
        "Falling back to eager attention.",
    ],
)
def test_a_change_is_told_once(told: list[str], text: str) -> None:
    with LibraryWarnings(told.append):
        for _ in range(3):
            logging.getLogger("transformers.trainer").warning(text)
    logging.getLogger("transformers.trainer").warning(text + " later")
    assert told == [f"transformers: {text}"]


def test_what_changes_nothing_is_not_told(told: list[str]) -> None:
    with LibraryWarnings(told.append):
        logging.getLogger("trl").warning("Training begins.")
        logging.getLogger("transformers").warning("mtime may not be reliable, falling back")
        logging.getLogger("somebody").warning("this is ignored")
        warnings.warn("this is ignored", UserWarning, stacklevel=1)
    assert told == []


def test_python_warnings_of_a_library_are_told(told: list[str]) -> None:
    with LibraryWarnings(told.append):
        where = {"lineno": 1, "filename": "/venv/site-packages/peft/tuner.py"}
        with warnings.catch_warnings():
            warnings.simplefilter("always")
        warnings.showwarning("module x is ignored", UserWarning, **where)
        warnings.showwarning("x is deprecated and ignored", FutureWarning, **where)
    assert told == ["peft: module x is ignored"]
