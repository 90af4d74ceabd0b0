"""Walking lists that come in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from cmlapi.models.base import ApiModel


class Cursor:
    """Every item of a list operation, page after page.

    `method` is a bound list operation such as `client.list_jobs`; the arguments are the
    operation's own (`search_filter`, `sort`, `page_size`).
    """

    def __init__(self, method: Callable[..., ApiModel], *args: Any, **kwargs: Any) -> None:
        self._method = method
        self._args = args
        self._kwargs = kwargs

    def items(self) -> Iterator[Any]:
        """Yield the items in order, reading the next page only when it is needed.

        Raises `ApiException` as the operation does.
        """
        kwargs = dict(self._kwargs)
        while True:
            page = self._method(*self._args, **kwargs)
            yield from getattr(page, _items_attribute(page)) or []
            token = getattr(page, "next_page_token", None)
            if not token:
                return
            kwargs["page_token"] = token


def _items_attribute(page: ApiModel) -> str:
    for name, kind in page.swagger_types.items():
        if kind.startswith("list["):
            return name
    raise TypeError(f"{type(page).__name__} is not a page of a list")
