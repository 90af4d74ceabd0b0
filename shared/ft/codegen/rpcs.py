"""Writes from the contract what clients import: `rpcs.py` and `async_rpcs.py`, the RPCs of both
clients as typed methods, and `api.py`, the names of all messages.

python shared/ft/codegen/rpcs.py            # writes them
python shared/ft/codegen/rpcs.py --check    # exit status 1 if a file is not up to date
"""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor import Descriptor, MethodDescriptor

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY))
from docs.generate import CONTRACT, Contract  # noqa: E402
from ft import enums, formats  # noqa: E402
from ft.services import METHODS, SERVICES  # noqa: E402

PACKAGE = REPOSITORY / "shared/ft"
HEADER = '''"""The studio's RPCs and lists as methods of a client that {mode}.

Generated from proto/ by `python shared/ft/codegen/rpcs.py`: do not edit.

Every RPC takes `timeout` in seconds, the client's own where it is None; for a stream it is that
of the whole stream, and None sets no limit that matters. Closing a stream's iterator ends the
call. All raise `ft.errors.StudioError`.

`get_<items>` asks for everything at once. `iter_<items>` asks for one page after the other while
it is iterated; `filter` keeps those whose fields have the given values, such as
{{"type": "project"}}, `order_by` sorts, as in "name" or "type, created_at desc". A studio that
knows no pages answers with everything at once, in its own order; the filter is then applied here,
as far as it names fields that such a studio has.
"""

# The methods are called as the contract calls its RPCs, and a deadline travels with the call.
# ruff: noqa: {unchecked}
# What gRPC's deserializers return is typed here and nowhere else.
# mypy: disable-error-code="no-any-return"

from abc import ABC, abstractmethod
from collections.abc import {collections}
from typing import Any

{imports}


class {name}(ABC):
    """Every RPC under its own name, and the lists as Python has them."""

    @abstractmethod
    {coroutine}def _unary(self, method: str, request: Any, timeout: float | None) -> Any: ...

    @abstractmethod
    def _stream(self, method: str, request: Any, timeout: float | None) -> {stream}: ...

    @abstractmethod
    def _items(self, method: str, request: Any) -> {iterator}[Any]: ...

'''
API_HEADER = '''"""Everything that a script needs with the client: `from ft.api import *`.

Re-exports every message of the public contract, its enumerations and the dataset formats.

Generated from proto/ by `python shared/ft/codegen/rpcs.py`: do not edit.
"""

# ruff: noqa: F403, F405
{imports}

# Spelled out, because type checkers do not follow a computed list.
__all__ = [
{names}
]
'''
PAGING = ("page_size", "page_token", "filter", "order_by")


@dataclass(frozen=True)
class ClientFlavor:
    """The syntax in which one of the two clients differs from the other."""

    name: str
    mode: str
    coroutine: str
    awaited: str
    iterator: str
    stream: str
    unchecked: str

    @property
    def collections(self) -> str:
        """Names that the module imports from `collections.abc`."""
        return ", ".join(sorted([self.stream.partition("[")[0], self.iterator, "Mapping"]))


FLAVORS = {
    "rpcs.py": ClientFlavor(
        "Rpcs", "blocks", "", "", "Iterator", "Generator[{0}, None, None]", "N802"
    ),
    "async_rpcs.py": ClientFlavor(
        "AsyncRpcs",
        "awaits",
        "async ",
        "await ",
        "AsyncIterator",
        "AsyncGenerator[{0}, None]",
        "ASYNC109, N802",
    ),
}


def surface(flavor: ClientFlavor) -> str:
    """The text of a module."""
    contract = Contract()
    files = [service.file.name for service in SERVICES]
    lines = [
        HEADER.format(
            name=flavor.name,
            mode=flavor.mode,
            unchecked=flavor.unchecked,
            coroutine=flavor.coroutine,
            iterator=flavor.iterator,
            stream=flavor.stream.format("Any"),
            collections=flavor.collections,
            imports="\n".join(
                sorted(f"from ft.proto import {Path(f).stem}_pb2 as {_alias(f)}" for f in files)
            ),
        )
    ]
    for service in SERVICES:
        for method in service.methods:
            lines += _rpc(method, contract.comments[f"{service.name}.{method.name}"], flavor)
    for method in METHODS.values():
        if "page_token" in method.input_type.fields_by_name:
            lines += _lists(method, flavor)
    return _formatted("\n".join(lines))


def api_module() -> str:
    """The text of `api.py`."""
    contract = Contract()
    modules = ["ft.enums", "ft.formats", *(f"ft.proto.{file}_pb2" for file in CONTRACT)]
    names = {*contract.messages, *enums.__all__, *formats.__all__}
    return _formatted(
        API_HEADER.format(
            imports="\n".join(f"from {module} import *" for module in sorted(modules)),
            names="\n".join(f'    "{name}",' for name in sorted(names)),
        )
    )


def _alias(file: str) -> str:
    return Path(file).stem.removeprefix("fine_tuning_").removeprefix("studio_")


def _type(message: Descriptor | None) -> str:
    assert message is not None
    return f"{_alias(message.file.name)}.{message.name}"


def _rpc(method: MethodDescriptor, comment: str, flavor: ClientFlavor) -> Iterator[str]:
    """The method of one RPC."""
    streams = method.server_streaming
    output = _type(method.output_type)
    yield f"    {'' if streams else flavor.coroutine}def {method.name}("
    yield f"        self, request: {_type(method.input_type)}, *, timeout: float | None = None"
    yield f"    ) -> {flavor.stream.format(output) if streams else output}:"
    lines = textwrap.wrap(comment, 88)
    end = "" if len(lines) == 1 else "\n        "
    yield '        """' + "\n        ".join(lines) + end + '"""'
    call = "self._stream" if streams else f"{flavor.awaited}self._unary"
    yield f'        return {call}("{method.name}", request, timeout)'
    yield ""


def _lists(method: MethodDescriptor, flavor: ClientFlavor) -> Iterator[str]:
    """The methods `get_<items>` and `iter_<items>` of an RPC that answers with a list."""
    [items] = (field for field in method.output_type.fields if field.is_repeated)
    words = items.name.replace("fine_tuning", "fine-tuning").replace("_", " ")
    item, request = _type(items.message_type), _type(method.input_type)
    yield f"    {flavor.coroutine}def get_{items.name}(self) -> list[{item}]:"
    yield f'        """All {words}, oldest first."""'
    yield f"        response = {flavor.awaited}self.{method.name}({request}())"
    yield f"        return list(response.{items.name})"
    yield ""
    own = [field.name for field in method.input_type.fields if field.name not in PAGING]
    arguments = ", ".join(f"{name}={name}" for name in [*own, "page_size", "filter", "order_by"])
    yield f"    def iter_{items.name}("
    yield "        self, *,"
    # What narrows a list beside its filter are ids and types.
    yield from (f'        {name}: str = "",' for name in own)
    yield "        page_size: int = 100,"
    yield "        filter: Mapping[str, str] | None = None,"
    yield '        order_by: str = "",'
    yield f"    ) -> {flavor.iterator}[{item}]:"
    yield f'        """The {words} that the arguments ask for, page by page."""'
    yield f"        request = {request}({arguments})"
    yield f'        return self._items("{method.name}", request)'
    yield ""


def _formatted(text: str) -> str:
    command = ["ruff", "format", "--stdin-filename", str(PACKAGE / "rpcs.py"), "-"]
    return subprocess.run(  # noqa: S603  # a command of our own
        command, input=text, capture_output=True, text=True, check=True
    ).stdout


def main() -> None:
    """Writes the modules, or checks them."""
    stale = []
    texts = {name: surface(flavor) for name, flavor in FLAVORS.items()}
    for name, text in {**texts, "api.py": api_module()}.items():
        if "--check" not in sys.argv:
            (PACKAGE / name).write_text(text)
        elif (PACKAGE / name).read_text() != text:
            stale.append(name)
    if stale:
        sys.exit(f"not up to date: {', '.join(stale)}; run: python shared/ft/codegen/rpcs.py")


if __name__ == "__main__":
    main()
