"""Times, as tables and messages have them."""

from datetime import UTC, datetime
from typing import overload

_TEXT_LENGTH = len("2026-01-02 03:04:05.000006")


def rfc3339(time: datetime | str | None) -> str:
    """Returns a time as messages have it, in UTC; empty for None.

    The time may be a text of SQLite, as SQLAlchemy stores it.
    """
    if time is None:
        return ""
    if isinstance(time, str) and len(time) == _TEXT_LENGTH:
        return f"{time[:10]}T{time[11:23]}Z"
    return time_of(time).isoformat(timespec="milliseconds") + "Z"


@overload
def time_of(value: str | datetime) -> datetime: ...
@overload
def time_of(value: str | datetime | None) -> datetime | None: ...
def time_of(value: str | datetime | None) -> datetime | None:
    """Returns the time in a value of a raw row."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def table_time(text: str) -> datetime:
    """Returns the time in an ISO 8601 text as tables store it; UTC if it has no offset.

    Raises ValueError.
    """
    time = datetime.fromisoformat(text)
    try:
        # Tables store UTC without an offset.
        return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    except OverflowError as error:
        raise ValueError(str(error)) from None
