"""Time for which something has stayed as it is, by a clock that nobody sets.

Times in the store are those of some machine's wall clock, which may be set back or forward by hours
at any moment. They are good to be shown, not to decide by: a request that is still under way would
count as one that can no longer land, or a pause would last for hours. So a process decides by how
long it has itself seen a value unchanged.
"""

import time
from collections.abc import Callable, Hashable, Iterable
from datetime import timedelta


class Sightings:
    """Since when this process has seen each value. `clock` gives seconds, and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[str, tuple[Hashable, float]] = {}

    @property
    def count(self) -> int:
        """Number of keys that are known."""
        return len(self._since)

    def unchanged(self, key: str, value: Hashable = None) -> timedelta:
        """Time for which the key has had that value; zero if it is seen for the first time."""
        now = self._clock()
        seen, since = self._since.get(key, (None, now))
        if key not in self._since or seen != value:
            since = now
            self._since[key] = (value, now)
        return timedelta(seconds=now - since)

    def forget(self, key: str) -> None:
        """Begins anew with a key; one that was never seen is fine."""
        self._since.pop(key, None)

    def keep(self, keys: Iterable[str]) -> None:
        """Forgets all other keys."""
        kept = set(keys)
        self._since = {key: seen for key, seen in self._since.items() if key in kept}
