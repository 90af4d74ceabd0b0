"""Prints results: tables for people, JSON for scripts."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.table import Table

from ft.cli.console import Console
from ft.text.printable import escaped_json, fits, printable, printable_json
from ft.text.streams import SafeStream

Cell = str | Callable[[Any], str]
"""The name of a field, or a function that makes the text of a cell from an item."""
Column = tuple[str, Cell]


def as_dict(message: Message) -> dict[str, Any]:
    """The message with the contract's own field names, unset fields included."""
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


class Output:
    """Standard output of a command. It makes texts from any source safe."""

    def __init__(self, json: bool) -> None:
        self.json = json
        # Programs that read a pipe need whole lines.
        width = None if sys.stdout.isatty() else 10_000
        self._stream = sys.stdout
        self.console = Console(self._stream, width=width)

    @property
    def ellipsis(self) -> str:
        """The mark for omitted text."""
        return "…" if fits("…", self.console.encoding) else "..."

    def data(self, value: object) -> None:
        """Prints JSON. Unsafe characters become JSON escapes."""
        self._stream.write(printable_json(value, self.console.encoding) + "\n")
        self._said()

    def say(self, text: str) -> None:
        """Prints a line, unless --json is set."""
        if not self.json:
            self.console.print(text)
            self._said()

    def notices(self, notices: Iterable[str]) -> None:
        """Prints a job's notices, unless --json is set; then they are in its status."""
        for notice in notices:
            self.say(f"notice: {notice}")

    def note(self, text: str) -> None:
        """Prints a note about a new record to standard error, since standard output may be JSON."""
        self.aside(f"note: {text}")

    def aside(self, text: str) -> None:
        """Prints a line to standard error, because standard output may be read by a script."""
        Console(sys.stderr, soft_wrap=True).print(text)

    def announce(self, text: str) -> None:
        """Prints a line about work that continues after the command, such as a started job.

        It goes to standard error if the reader of standard output closes the pipe before the line,
        or the JSON in its place, is written.
        """
        if isinstance(self._stream, SafeStream):
            self._stream.unsaid = f"{self._stream.unsaid}\n{text}".lstrip("\n")
        self.say(text)

    def _said(self) -> None:
        if isinstance(self._stream, SafeStream):
            self._stream.unsaid = ""

    def items(self, messages: Iterable[Message], columns: Sequence[Column], none: str) -> None:
        """Prints a list of messages, or `none` if it is empty."""
        found = list(messages)
        if self.json:
            self.data([as_dict(message) for message in found])
        elif not found:
            self.console.print(none, style="dim")
        else:
            self.table(
                [title for title, _ in columns],
                [
                    [
                        str(getattr(message, cell)) if isinstance(cell, str) else cell(message)
                        for _, cell in columns
                    ]
                    for message in found
                ],
            )

    def item(self, message: Message) -> None:
        """Prints the fields of a message that are not empty."""
        if self.json:
            self.data(as_dict(message))
            return
        grid = Table.grid(padding=(0, 2))
        for name, value in MessageToDict(message, preserving_proto_field_name=True).items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            grid.add_row(self.console.render_str(name, style="bold"), shown)
        self.console.print(grid)

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Prints a table of texts."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in titles:
            table.add_column(title, overflow="fold", no_wrap=title == "ID")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def text(self, text: str) -> None:
        """Prints a part of a long text, such as a log. Raises OSError if it cannot be written."""
        self._send(printable(text, self.console.encoding))

    def document(self, part: str) -> None:
        """Prints a part of a JSON document in UTF-8. Raises OSError if it cannot be written."""
        self._send(escaped_json(part).encode())

    def raw(self, data: bytes) -> None:
        """Writes bytes unchanged. Raises OSError if they cannot be written."""
        self._send(data)

    def _send(self, data: str | bytes) -> None:
        # Commands run within `safe_streams`.
        assert isinstance(self._stream, SafeStream)
        self._stream.send(data)
