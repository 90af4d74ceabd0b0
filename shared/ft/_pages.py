"""Requests for the pages of a list, one after the other."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

_FIRST_ADDED_NUMBER = 100
_NUMBERS = (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_FLOAT)


class PageRequests:
    """The requests for one list's pages, one after the other.

    A studio that knows no pages answers the first with all it has, unfiltered, and that was the
    last. The filter is therefore applied to its answers too: as far as it names fields of the
    frozen contract, and a job's state.
    """

    def __init__(self, first: Any) -> None:
        self.request: Any | None = first
        """The next request; None after the last page."""
        self._filter = dict(first.filter)

    def items(self, response: Any) -> Iterator[Any]:
        """Yields the wanted items of the answer to `request`, and sets the next request."""
        assert self.request is not None
        self.request.page_token = response.next_page_token
        if not response.next_page_token:
            self.request = None
        [field] = (one for one in response.DESCRIPTOR.fields if one.is_repeated)
        checks = [_check(field, name, value) for name, value in self._filter.items()]
        for item in getattr(response, field.name):
            if all(check(item) for check in checks):
                yield item


def _check(items: FieldDescriptor, name: str, value: str) -> Callable[[Any], bool]:
    if name == "state":
        return lambda item: bool(item.status.state == value)
    assert items.message_type is not None
    field = items.message_type.fields_by_name.get(name)
    if field is None or field.number >= _FIRST_ADDED_NUMBER:
        return lambda _: True
    if field.type in _NUMBERS:
        return lambda item: _same_number(getattr(item, name), value)
    return lambda item: bool(getattr(item, name) == value)


def _same_number(number: float, text: str) -> bool:
    """As the studio sees it: a message has 32 bits of a number."""
    try:
        return math.isclose(number, float(text), rel_tol=1e-6)
    except ValueError:
        return False
