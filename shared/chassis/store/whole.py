"""Lists in one message, built in steps with the event loop free in between."""

import asyncio
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from chassis.rpc.errors import ResourceExhausted, answer_too_large
from chassis.store.engine import Store
from chassis.store.forms import MessageForm
from chassis.store.keyset import Position
from chassis.store.pages import Pages
from chassis.store.scan import Wanted
from chassis.store.statements import RawRow, fetch_on
from ft.channel import MAX_MESSAGE_BYTES

CONVERTED_ROWS = 100
"""Most rows that are converted in one step."""
READ_ROWS = 500
"""Most rows that are read, or compared with rows that are kept, in one step."""
READ_WINDOW_ROWS = 5000
"""Most rows that a filter is compared with in one step."""
SORTED_STEP_ROWS = 2000
"""Most rows that are read in one step if each step sorts all rows."""
KEPT_BYTES = 8 * 1024 * 1024
"""Bytes of the items that are kept one by one for each list, with their rows. Of a larger list only
the whole answer is kept, which fits into a message."""
TIME_BYTES = len("2026-01-02T03:04:05.000Z")
"""Bytes of a time in a message."""


class WholeList:
    """Builds the list of all rows, or of some, from one snapshot of the store.

    The list of all rows is kept. It is built again when the database has changed, and then only
    rows with other values than before are converted. Lists are built one at a time.
    """

    def __init__(
        self,
        store: Store,
        pages: Pages,
        method: str,
        form: MessageForm[Any],
        item: Callable[[RawRow], bytes],
        hidden: Callable[[Connection], Collection[str]] | None = None,
    ) -> None:
        """`method` is the RPC of the list, for refusals; `item` makes the bytes of a row. The rest
        is as for `TableList`."""
        self._store = store
        self._pages = pages
        self._method = method
        self._item = item
        self._hidden = hidden
        self._lock = asyncio.Lock()
        self._begun = 0
        """Number of builds of the list of all rows that have begun."""
        self._answered = 0
        """Number of the last build that has ended with an answer or a refusal."""
        self._version: Hashable | None = None
        self._answer: bytes | None = b""
        """The list of all rows; None if it does not fit into a message."""
        self._kept: dict[RawRow, bytes] = {}
        """Items by the values of their rows."""
        self._shown = form.fields

    async def all(self) -> bytes:
        """Returns the current list of all rows. Raises ResourceExhausted if it is too large."""
        arrived = self._begun
        if not self._is_current():
            async with self._lock:
                # A build that began after the call came has all writes that it may expect.
                if self._answered <= arrived and not self._is_current():
                    await self._build()
        if self._answer is None:
            raise self._too_large()
        return self._answer

    def _is_current(self) -> bool:
        version = self._store.version()
        return version is not None and version == self._version

    async def _build(self) -> None:
        self._begun += 1
        number = self._begun
        # The version is read first: after a commit in between, the list is newer than its version,
        # which costs another build but never gives a stale answer.
        version = self._store.version()
        with self._store.snapshot() as snapshot:
            hidden = self._hidden(snapshot) if self._hidden is not None else ()
            rows = await self._rows(snapshot, Wanted({}, hidden=hidden))
        items = None if rows is None else await self._items(rows, self._kept)
        if items is None or rows is None:
            self._answer, self._kept = None, {}
        else:
            self._answer = b"".join(items)
            is_kept = len(self._answer) <= KEPT_BYTES
            self._kept = dict(zip(rows, items, strict=True)) if is_kept else {}
        self._version, self._answered = version, number

    async def some(self, wanted: Wanted) -> bytes:
        """Returns the list of the wanted rows.

        Raises FailedPrecondition for an order of too many rows, and ResourceExhausted if the list
        is too large.
        """
        async with self._lock:
            with self._store.snapshot() as snapshot:
                rows = await self._rows(snapshot, wanted)
            items = None if rows is None else await self._items(rows, {})
        if items is None:
            raise self._too_large()
        return b"".join(items)

    async def _rows(self, snapshot: Connection, wanted: Wanted) -> list[RawRow] | None:
        """Returns the wanted rows; None if their texts alone do not fit into a message."""
        fetch = fetch_on(snapshot)
        plan = self._pages.plan(fetch, wanted)
        size = SORTED_STEP_ROWS if plan.is_sorted else READ_ROWS
        rows: list[RawRow] = []
        position: Position | None = None
        left = MAX_MESSAGE_BYTES
        while True:
            some, position = plan.after(fetch, position, size, READ_WINDOW_ROWS)
            for row in some:
                left -= sum(map(_least_bytes, row[: self._shown]))
            if left < 0:
                return None
            rows += some
            if position is None:
                return rows
            await asyncio.sleep(0)

    async def _items(
        self, rows: Sequence[RawRow], kept: Mapping[RawRow, bytes]
    ) -> list[bytes] | None:
        """Returns the items of rows; None if they do not fit into a message. Items that are kept
        are not made again."""
        items: list[bytes] = []
        left, converted = MAX_MESSAGE_BYTES, 0
        for number, row in enumerate(rows):
            if (item := kept.get(row)) is None:
                item = self._item(row)
                converted += 1
            left -= len(item)
            if left < 0:
                return None
            items.append(item)
            if converted == CONVERTED_ROWS or number % READ_ROWS == READ_ROWS - 1:
                converted = 0
                await asyncio.sleep(0)
        return items

    def _too_large(self) -> ResourceExhausted:
        size = f"more than {MAX_MESSAGE_BYTES}"
        return answer_too_large(self._method, size, MAX_MESSAGE_BYTES)


def _least_bytes(value: Any) -> int:
    """Returns how many bytes a message has at least for a value."""
    if type(value) is str:
        return len(value)
    return TIME_BYTES if type(value) is datetime else 0
