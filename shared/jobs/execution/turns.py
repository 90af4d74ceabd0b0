"""Turns by which many jobs share a few calls to the workspace."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Generic, Protocol, TypeVar


class Numbered(Protocol):
    """A row with its place in the order of arrival."""

    @property
    def seq(self) -> int:
        """Order of arrival."""


Item = TypeVar("Item", bound=Numbered)


class Turn(Generic[Item]):
    """Rows of one kind in turns: none comes again before each of the others has come.

    `find` returns rows after a number, by their numbers, and no more than a limit: however many
    rows there are, few of them are read at a time.
    """

    def __init__(self, find: Callable[[int, int], Sequence[Item]]) -> None:
        self._find = find
        self._after = 0
        self.since = time.monotonic()
        """Begin of the present turn: the next row has waited since then at most."""

    def waiting(self, most: int) -> list[Item]:
        """Returns the rows whose turn is next."""
        found = list(self._find(self._after, most))
        if len(found) < most and self._after:
            again = self._find(0, most - len(found))
            found += [item for item in again if item.seq <= self._after]
        return found

    def taken(self, item: Item) -> None:
        """Continues with the rows after that one."""
        if item.seq <= self._after:
            self.since = time.monotonic()
        self._after = item.seq


def take(turns: Sequence[Turn[Item]], most: int) -> Iterator[tuple[Turn[Item], Item]]:
    """Yields at most that many rows: the first of each turn, then those that have waited longest.

    So a few rows of one kind do not wait for thousands of another.
    """
    waiting = {turn: turn.waiting(most) for turn in sorted(turns, key=lambda turn: turn.since)}
    first = [(turn, item) for turn, items in waiting.items() for item in items[:1]]
    others = [(turn, item) for turn, items in waiting.items() for item in items[1:]]
    for turn, item in islice([*first, *others], most):
        turn.taken(item)
        yield turn, item
