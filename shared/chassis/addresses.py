"""Addresses of services, as gRPC reads them: `host:port`, or the URI `unix:<path>` of a socket.

In a URI `%20` is a blank, and `#` and `?` end the path. So a path is quoted where an address is
made of it, and an address is taken apart nowhere else.
"""

from pathlib import Path
from urllib.parse import quote, unquote

_UNIX = "unix:"
LISTS = ","
"""Separator of addresses for gRPC clients, even if quoted: no socket path may contain it."""


def of_socket(path: Path) -> str:
    """Returns the address of a unix socket."""
    return f"{_UNIX}{quote(str(path), errors='surrogateescape')}"


def of_setting(address: str) -> str:
    """Returns the address for a setting: `host:port`, or `unix:` and an unquoted path."""
    return of_socket(Path(address.removeprefix(_UNIX))) if address.startswith(_UNIX) else address


def socket_of(address: str) -> Path | None:
    """Returns the path of the unix socket at an address; None if it is no address of a socket."""
    if not address.startswith(_UNIX):
        return None
    return Path(unquote(address.removeprefix(_UNIX), errors="surrogateescape"))
