"""How results are printed: tables for people, JSON for scripts."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from ft.terminal import CheckedOutput, printable, printable_json, takes_unicode

Cell = str | Callable[[Any], str]
"""A field's name, or what makes the text of a cell from an item."""
Column = tuple[str, Cell]


def as_dict(message: Message) -> dict[str, Any]:
    """The message with the contract's own field names, unset fields included."""
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


class SafeConsole(Console):
    """A console on which no text can command the terminal, whatever it holds and wherever it comes
    from: data, logs, names. Only what the library draws itself does."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Segments of the renderable, their texts printable."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """Nothing: standard output says so itself."""


class Output:
    """Standard output of a command."""

    def __init__(self, json: bool) -> None:
        self.json = json
        # Whatever reads a pipe wants whole lines.
        width = None if sys.stdout.isatty() else 10_000
        self._file = CheckedOutput()
        file: Any = self._file
        self.console = SafeConsole(highlight=False, width=width, file=file)

    def data(self, value: object) -> None:
        """Prints JSON, with JSON's escapes for what cannot be printed, or not safely."""
        text = json.dumps(value, indent=2, ensure_ascii=not takes_unicode(sys.stdout))
        self._file.write(printable_json(text) + "\n")

    def text(self, text: str) -> None:
        """A text as it is, but for what commands terminals."""
        self._file.write(printable(text))

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self._file.write_bytes(data)

    def say(self, text: str) -> None:
        """A line for people; scripts do not see it."""
        if not self.json:
            self.console.print(printable(text), markup=False)

    def notices(self, notices: Iterable[str]) -> None:
        """What a job has done other than asked; scripts find it in the job's status."""
        for notice in notices:
            self.say(f"notice: {notice}")

    def items(self, messages: Iterable[Message], columns: Sequence[Column], none: str) -> None:
        """A list of messages. `none` is said where it is empty."""
        found = list(messages)
        if self.json:
            self.data([as_dict(message) for message in found])
        elif not found:
            self.console.print(printable(none), markup=False, style="dim")
        else:
            self.table(
                [title for title, _ in columns],
                [[_text(message, cell) for _, cell in columns] for message in found],
            )

    def item(self, message: Message) -> None:
        """One message, field by field; empty fields are left out."""
        if self.json:
            self.data(as_dict(message))
            return
        grid = Table.grid(padding=(0, 2))
        for name, value in MessageToDict(message, preserving_proto_field_name=True).items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            grid.add_row(Text(name, style="bold"), _plain(shown))
        self.console.print(grid)

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table of texts."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in titles:
            table.add_column(_plain(title), overflow="fold", no_wrap=title == "ID")
        for row in rows:
            table.add_row(*(_plain(cell) for cell in row))
        self.console.print(table)


def _text(message: Any, cell: Cell) -> str:
    return str(getattr(message, cell)) if isinstance(cell, str) else cell(message)


def _plain(text: str) -> Text:
    """The text as it is: nothing in it is markup. Made printable here, so that columns fit."""
    return Text(printable(text))
