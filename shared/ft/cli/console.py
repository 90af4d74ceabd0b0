"""A console that prints every text literally."""

import sys
from collections.abc import Iterable
from typing import Any, TextIO

import rich.console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from ft.text.printable import printable
from ft.text.streams import SafeStream


class Console(rich.console.Console):
    """Prints to a standard stream, without markup, emoji codes or control sequences in texts.

    Texts are made safe before they are measured, so that tables fit. Texts that are rendered by
    other means are made safe when they are printed.
    """

    def __init__(self, stream: TextIO | None = None, **options: Any) -> None:
        stream = stream or sys.stdout
        file: Any = stream.styled if isinstance(stream, SafeStream) else stream
        super().__init__(file=file, markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """The text, safe and unformatted."""
        plain = {**options, "markup": False, "emoji": False, "highlight": False}
        return super().render_str(printable(text, self.encoding), **plain)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments, their texts safe."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable(segment.text, self.encoding), segment.style)
