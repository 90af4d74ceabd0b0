"""Warnings of libraries become notices, unless they are known to change nothing."""

import logging
import warnings

import peft
import pytest

from trainer.job import library_warnings
from trainer.job.library_warnings import MOST_NOTICES, UNKNOWN, LibraryWarnings


@pytest.fixture
def told() -> list[str]:
    return []


def warn(filename: str, text: str, category: type[Warning] = UserWarning) -> None:
    """Warns as code in that file does."""
    warnings.showwarning(text, category, filename, 1)


OF_TODAY = [
    # As the pinned versions have them.
    "The following generation flags are not valid and may be ignored: ['temperature'].",
    "early stopping required metric_for_best_model, but did not find loss so early stopping is "
    "disabled",
    "Checkpoint included callbacks not included in current configuration. Ignoring. (Old)",
    "You passed `model_init_kwargs` to the `SFTConfig`, but your model is already instantiated.",
    "Model with `tie_word_embeddings=True` and the tied_target_modules=['lm_head'] are part of the "
    "adapter. This can lead to complications.",
    "Adapter name 'lora' should not be contained in the prefix 'lora'.",
    "Unsupported layer type '<class 'X'>' encountered, proceed at your own risk.",
    "`eos_token_id` should consist of positive integers, but is [-1]. Your generation will not "
    "stop until the maximum length is reached.",
    "You have passed exclude_modules=['x'] but no modules were excluded.",
    "Module x was initialized in a way that nobody has thought of.",
]


@pytest.mark.parametrize("text", OF_TODAY)
def test_warning_is_reported_once(told: list[str], text: str) -> None:
    with LibraryWarnings(told.append):
        for _ in range(3):
            logging.getLogger("transformers.trainer").warning(text)
    logging.getLogger("transformers.trainer").warning("%s later", text)
    assert told == [f"transformers: {text}"]


def test_warnings_that_differ_in_numbers_are_one_kind(told: list[str]) -> None:
    with LibraryWarnings(told.append):
        for step in range(5):
            logging.getLogger("trl").warning("Row %d was cut at %d.", step, step + 100)
    assert told == ["trl: Row 0 was cut at 100."]


def test_harmless_warnings_are_not_reported(told: list[str]) -> None:
    with LibraryWarnings(told.append):
        logging.getLogger("trl").info("3 rows were dropped")
        for text in (
            "mtime may not be reliable on this filesystem, falling back to numerical ordering",
            "`use_cache=True` is incompatible with gradient checkpointing. Setting `use_cache=F`.",
            "`torch_dtype` is deprecated! Use `dtype` instead!",
            "fan_in_fan_out is set to False but the target module is `Conv1D`. Setting it to True.",
        ):
            logging.getLogger("transformers").warning(text)
        logging.getLogger("somebody").warning("this is ignored")
        warn("/venv/site-packages/somebody/x.py", "this is ignored")
    assert told == []


@pytest.mark.parametrize(
    ("filename", "category", "library"),
    [
        ("/venv/lib/python3.11/site-packages/peft/tuner.py", UserWarning, "peft"),
        ("/venv/lib/python3.11/site-packages/torch/amp.py", RuntimeWarning, "torch"),
        # A library may warn in its caller's name.
        (library_warnings.__file__, UserWarning, UNKNOWN),
        (library_warnings.__file__, peft.tuners.tuners_utils.PeftWarning, "peft"),
    ],
)
def test_warnings_of_python_are_reported(
    told: list[str], filename: str, category: type[Warning], library: str
) -> None:
    with LibraryWarnings(told.append):
        warn(filename, "module x is left out", category)
    assert told == [f"{library}: module x is left out"]


def test_colours_are_left_out(told: list[str]) -> None:
    with LibraryWarnings(told.append):
        logging.getLogger("trl").warning("\x1b[1;33mA row\x1b[0m is left out")
    assert told == ["trl: A row is left out"]


def test_deprecations_are_reported_if_a_setting_is_ignored(told: list[str]) -> None:
    peft_file = "/venv/site-packages/peft/tuner.py"
    with LibraryWarnings(told.append):
        warn(peft_file, "x is deprecated and will be removed", FutureWarning)
        warn(peft_file, "x is not what it was", DeprecationWarning)
        warn(peft_file, "x is deprecated: its value is ignored", FutureWarning)
    assert told == ["peft: x is deprecated: its value is ignored"]


def test_handlers_that_a_library_replaces_do_not_matter(told: list[str]) -> None:
    with LibraryWarnings(told.append):
        logger = logging.getLogger("axolotl.utils")
        logger.handlers, logger.propagate = [logging.NullHandler()], False
        logger.warning("sample_packing is switched off")
    assert told == ["axolotl: sample_packing is switched off"]


def test_warnings_are_limited_and_short(told: list[str]) -> None:
    with LibraryWarnings(told.append):
        for number in range(100):
            name = "".join(chr(ord("a") + int(digit)) for digit in str(number))
            logging.getLogger("trl").warning("%s is left out %s", name, "x" * 10_000)
    assert len(told) == MOST_NOTICES + 1
    assert told[-1] == "Further warnings of the libraries are in the job's log alone."
    assert max(map(len, told)) < 520


def test_broken_record_is_left_to_the_printing_handler(told: list[str]) -> None:
    with LibraryWarnings(told.append):
        logging.getLogger("trl").makeRecord("trl", logging.WARNING, "f", 1, "%d", ("a",), None)
    assert told == []
