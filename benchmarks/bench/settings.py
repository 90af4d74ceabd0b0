"""Sizes of a run: rounds, seconds, rows."""

from dataclasses import dataclass

ANSWER_SIZES = (40, 30_000, 300_000)
"""Bytes that null servers answer with."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Sizes of a run. The defaults are those of `make bench`."""

    rounds: int = 5
    seconds: float = 1.0
    """Measured time of one line in one round."""
    callers: tuple[int, ...] = (1, 16)
    watchers: tuple[int, ...] = (1, 16, 1000)
    small_rows: int = 1_000
    """Prompts in the first studio."""
    large_rows: int = 100_000
    """Prompts in the second studio."""
    jobs: int = 10_000
    """Fine-tuning jobs in the first studio."""
    page: int = 100
    pool: int = 400
    """Most rows that one line removes in one round."""
    starts: int = 100
    """Most jobs that one line starts in one round."""
    starts_of_studio: int = 3
    """Starts and stops of the studio on a home with data, each measured."""
    idle_seconds: float = 10.0
    commands: int = 7
    """Runs of each `fts` command."""
    minutes: float = 14.0
    """No round begins that would end later than this after the start of the run. The studios take
    some seconds to stop after that."""


SMOKE = Settings(
    rounds=1,
    seconds=0.05,
    watchers=(1, 16),
    small_rows=120,
    large_rows=300,
    jobs=120,
    pool=20,
    starts=16,
    starts_of_studio=1,
    idle_seconds=0.2,
    commands=1,
)
"""A run that shows that every line can be measured. Its figures mean nothing."""
