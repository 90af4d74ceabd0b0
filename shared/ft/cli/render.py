"""How results are printed: tables for people, JSON for scripts."""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table
from rich.text import Text

Cell = str | Callable[[Any], str]
"""A field's name, or what makes the text of a cell from an item."""
Column = tuple[str, Cell]


def as_dict(message: Message) -> dict[str, Any]:
    """The message with the contract's own field names, unset fields included."""
    return MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


class Output:
    """Standard output of a command."""

    def __init__(self, json: bool) -> None:
        self.json = json
        # Whatever reads a pipe wants whole lines.
        width = None if sys.stdout.isatty() else 10_000
        self.console = Console(highlight=False, width=width)

    def data(self, value: object) -> None:
        """Prints JSON."""
        print(json.dumps(value, indent=2, ensure_ascii=False))

    def say(self, text: str) -> None:
        """A line for people; scripts do not see it."""
        if not self.json:
            self.console.print(text, markup=False)

    def items(self, messages: Iterable[Message], columns: Sequence[Column], none: str) -> None:
        """A list of messages. `none` is said where it is empty."""
        found = list(messages)
        if self.json:
            self.data([as_dict(message) for message in found])
        elif not found:
            self.console.print(none, markup=False, style="dim")
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
            table.add_column(title, overflow="fold", no_wrap=title == "ID")
        for row in rows:
            table.add_row(*(_plain(cell) for cell in row))
        self.console.print(table)


def _text(message: Any, cell: Cell) -> str:
    return str(getattr(message, cell)) if isinstance(cell, str) else cell(message)


def _plain(text: str) -> Text:
    """The text as it is: nothing in it is markup, or commands the terminal."""
    return Text("".join(repr(c)[1:-1] if _commands(c) else c for c in text))


def _commands(character: str) -> bool:
    return character not in "\n\t" and unicodedata.category(character) == "Cc"
