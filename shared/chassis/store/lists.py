"""Answers to list requests: all rows from bytes that are kept, or the rows that a request wants."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from sqlalchemy import Connection

from chassis.store.forms import MessageForm
from chassis.store.pages import Pages
from chassis.store.records import Records
from chassis.store.statements import RawRow
from chassis.store.whole import WholeList

M = TypeVar("M", bound=Message)


KEPT_ITEMS = 1000
"""Most rows of pages whose items are kept for each list, in case a page is requested again."""
KEPT_ITEM_BYTES = 2048
"""Largest item that is kept."""


class ItemCache:
    """Items of rows that were on a page before, found by the values of the rows.

    A row with another value is another row, so an item is never out of date.
    """

    def __init__(self, item: Callable[[RawRow], bytes], columns: int) -> None:
        """`item` makes the item of a row from its first `columns` values."""
        self._make = item
        self._columns = columns
        self._items: dict[RawRow, bytes] = {}

    def item(self, row: RawRow) -> bytes:
        """Returns the item of a row."""
        shown = row[: self._columns]
        if (item := self._items.get(shown)) is None:
            item = self._make(row)
            if len(item) <= KEPT_ITEM_BYTES:
                if len(self._items) >= KEPT_ITEMS:
                    del self._items[next(iter(self._items))]
                self._items[shown] = item
        return item


class TableList(Generic[M]):
    """The list of one table.

    `response` has the rows in its one repeated field, made by `form`. The list can be filtered and
    sorted by fields of these messages that are columns, and by the columns in `also`. The list of
    all rows omits rows whose ids are in `hidden`.
    """

    def __init__(
        self,
        records: Records[Any],
        response: type[M],
        form: MessageForm[Any] | None = None,
        also: Iterable[str] = (),
        hidden: Callable[[Connection], Collection[str]] | None = None,
    ) -> None:
        [items] = (field for field in response.DESCRIPTOR.fields if field.is_repeated)
        kind = GetMessageClass(items.message_type)  # type: ignore[arg-type]
        form = form or MessageForm(kind, records.table)
        message = form.message
        names = [
            field.name
            for field in kind.DESCRIPTOR.fields
            if field.name in records.table.columns
            and not field.is_repeated
            and field.message_type is None
        ]

        def item(row: RawRow) -> bytes:
            # The bytes of messages with one item each, one after the other, are those of all.
            return response(**{items.name: [message(row)]}).SerializeToString()

        method = response.DESCRIPTOR.name.removesuffix("Response")
        self._response = response
        cache = ItemCache(item, len(form.columns))
        self._pages = Pages(records, [*names, *also], form.columns, cache.item)
        self._whole = WholeList(records.store, self._pages, method, form, item, hidden)

    async def answer(
        self,
        request: Any,
        allowed: Mapping[str, Collection[Any]] | None = None,
        hidden: Collection[str] = (),
    ) -> bytes:
        """Returns the serialized answer to a list request; `allowed` and `hidden` narrow it, see
        `Pages.wanted`."""
        if not request.ByteSize():
            return await self._whole.all()
        wanted = self._pages.wanted(request, allowed or {}, hidden)
        if not request.page_size and not request.page_token:
            return await self._whole.some(wanted)
        rows, token = self._pages.page(request, wanted)
        return b"".join(rows) + self._response(next_page_token=token).SerializeToString()
