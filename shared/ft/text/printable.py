"""Makes text safe to print: without control characters, invisible characters and reordering."""

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

_KEPT = "\n\t"
_JOINERS = "\u200c\u200d"
"""Persian, the scripts of India and emoji need these between two of their characters."""
_VISIBLE_FORMATS = {
    0x06DD,
    0x070F,
    0x08E2,
    0x110BD,
    0x110CD,
    *range(0x0600, 0x0606),
    0x0890,
    0x0891,
}
"""Marks of Arabic, Syriac and Kaithi numbers: format characters by category, but drawn."""
_BLANK = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0xFFF0, 0xFFF9)}
"""Letters and marks that are drawn as nothing."""
_JOINED = r"[^\x00-\xa0\u2000-\u206f\u3000]"
_STRAY_JOINER = re.compile(rf"[{_JOINERS}](?!{_JOINED})|(?<!{_JOINED})[{_JOINERS}]")


class _EscapeTable(dict[int, str | None]):
    """A table for `str.translate` that is filled on demand."""

    def __init__(self, escape: Callable[[str], str], kept: str) -> None:
        super().__init__({ord(character): character for character in kept})
        self._escape = escape

    def __missing__(self, code: int) -> str:
        character = chr(code)
        text = self._escape(character) if _hidden(character) else character
        if len(self) < 100_000:
            self[code] = text
        return text


def _hidden(character: str) -> bool:
    """True if a character is invisible or controls the terminal."""
    code = ord(character)
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return code not in _VISIBLE_FORMATS
    # Tags and what may come beside them; variation selectors choose a form of a visible character.
    unassigned = 0xE0000 <= code <= 0xE0FFF and not 0xE0100 <= code <= 0xE01EF
    return code in _BLANK or unassigned


def _escaped(character: str) -> str:
    """The escape as Python writes it, such as `\\x1b`."""
    return (
        character.encode("ascii", "backslashreplace").decode()
        if ord(character) > 127
        else (repr(character)[1:-1])
    )


def _json_escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


_TEXT = _EscapeTable(_escaped, _KEPT + _JOINERS)
_JSON = _EscapeTable(_json_escaped, _KEPT)


def printable(text: str, encoding: str = "utf-8") -> str:
    """Makes text safe for a terminal, and fit for an encoding.

    Newlines and tabs stay. Control characters, characters that are invisible or change the
    direction of writing, and those that the encoding lacks become escapes such as `\\x1b`. What is
    plain stays as it is, a backslash too.
    """
    if text.isascii() and text.isprintable():
        return text
    safe = _STRAY_JOINER.sub(lambda found: _escaped(found[0]), text.translate(_TEXT))
    return safe.encode(encoding, "backslashreplace").decode(encoding)


def printable_line(text: str, encoding: str = "utf-8") -> str:
    """Makes text safe for a terminal, on one line: newlines and tabs become escapes too."""
    return printable(text, encoding).replace("\n", "\\n").replace("\t", "\\t")


def fits(text: str, encoding: str) -> bool:
    """True if an encoding has all characters of a text."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def printable_json(value: Any, encoding: str = "utf-8", indent: int | None = 2) -> str:
    """Encodes a value as JSON that is safe for a terminal, by means of JSON's own escapes."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if not fits(text, encoding):
        text = json.dumps(value, indent=indent)
    return escaped_json(text)


def escaped_json(document: str) -> str:
    """Replaces unsafe characters of a JSON document, or a part of one, by JSON's escapes.

    JSON has such characters only inside of texts, so the document keeps its meaning.
    """
    return document.translate(_JSON)
