"""Answers to list requests, kept as serialized bytes for as long as the table has not moved."""

from collections.abc import Callable, Hashable

from google.protobuf.message import Message

from chassis.store import Store


class CachedList:
    """One list's bytes. Building a list costs some sixteen times as much as sending it."""

    def __init__(self, store: Store, build: Callable[[], Message]) -> None:
        self._store = store
        self._build = build
        self._version: Hashable | None = None
        self._bytes = b""

    def get(self) -> bytes:
        """The list as of now."""
        # The version is read first: a commit in between makes the bytes newer than their label,
        # which costs a rebuild, never a stale answer.
        version = self._store.version()
        if version is None or version != self._version:
            self._bytes = self._build().SerializeToString()
            self._version = version
        return self._bytes
