"""Answers to list requests: all rows from cached bytes, or a page of filtered rows."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.store.convert import to_message
from chassis.store.engine import Store
from chassis.store.pages import Pages
from chassis.store.records import Records, Row

M = TypeVar("M", bound=Message)


class CachedList:
    """Serialized bytes of a list, cached until the database changes.

    Building a list costs about 16 times as much as sending it.
    """

    def __init__(self, store: Store, build: Callable[[], Message]) -> None:
        self._store = store
        self._build = build
        self._version: Hashable | None = None
        self._bytes = b""

    def get(self) -> bytes:
        """Returns the current list."""
        # The version is read first: after a commit in between, the bytes are newer than their
        # version, which costs a rebuild but never gives a stale answer.
        version = self._store.version()
        if version is None or version != self._version:
            self._bytes = self._build().SerializeToString()
            self._version = version
        return self._bytes


class TableList(Generic[M, Row]):
    """The list of one table.

    `response` has the rows in its one repeated field, converted by `shown`. The list can be
    filtered and sorted by fields of these messages that are columns, and by the columns in `also`.
    The list of all rows omits rows whose ids are in `hidden`.
    """

    def __init__(
        self,
        records: Records[Row],
        response: type[M],
        shown: Callable[[Row], Message] | None = None,
        also: Iterable[str] = (),
        hidden: Callable[[], Collection[str]] = tuple,
    ) -> None:
        [items] = (field for field in response.DESCRIPTOR.fields if field.is_repeated)
        kind = GetMessageClass(items.message_type)  # type: ignore[arg-type]
        names = [
            field.name
            for field in kind.DESCRIPTOR.fields
            if field.name in records.table.columns
            and not field.is_repeated
            and field.message_type is None
        ]
        self._response = response
        self._items = items.name
        self._shown = shown or (lambda record: to_message(kind, record))
        self._pages = Pages(records, [*names, *also])

        def all_rows() -> M:
            omitted = hidden()
            return self._answer(row for row in records.all() if row.id not in omitted)

        self._all = CachedList(records.store, all_rows)

    def answer(
        self,
        request: Any,
        allowed: Mapping[str, Collection[Any]] | None = None,
        hidden: Collection[str] = (),
    ) -> M | bytes:
        """Returns a page for a list request; `allowed` and `hidden` filter it, see `Pages.page`."""
        if not request.ByteSize():
            return self._all.get()
        return self._answer(*self._pages.page(request, allowed or {}, hidden))

    def _answer(self, rows: Iterable[Row], next_page_token: str = "") -> M:
        items = {self._items: [self._shown(row) for row in rows]}
        return self._response(**items, next_page_token=next_page_token)
