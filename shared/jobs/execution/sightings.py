"""Time for which a value has not changed, by a clock that cannot be set.

Times in the store are those of a wall clock of some machine, which may be set back or forward by
hours at any moment. They are for display only. With them, a request that may still arrive could
count as too old to arrive, or a pause could last for hours. Therefore a process decides by the time
for which it has itself seen a value unchanged.
"""

import time
from collections.abc import Callable, Hashable, Iterable
from datetime import timedelta


class Sightings:
    """The time since when this process has seen each value. `clock` gives seconds, and never goes
    back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[str, tuple[Hashable, float]] = {}

    @property
    def count(self) -> int:
        """Number of keys that are known."""
        return len(self._since)

    def unchanged(self, key: str, value: Hashable = None) -> timedelta:
        """Time for which the key has had that value; zero if it is new."""
        now = self._clock()
        seen, since = self._since.get(key, (None, now))
        if key not in self._since or seen != value:
            since = now
            self._since[key] = (value, now)
        return timedelta(seconds=now - since)

    def forget(self, key: str) -> None:
        """Forgets a key, if it is known."""
        self._since.pop(key, None)

    def keep(self, keys: Iterable[str]) -> None:
        """Forgets all other keys."""
        kept = set(keys)
        self._since = {key: seen for key, seen in self._since.items() if key in kept}
