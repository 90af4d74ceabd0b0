"""Characters that names must not have: they change lines, terminals or what a reader sees."""

import unicodedata

_REFUSED = ("Cc", "Cf", "Zl", "Zp", "Cs")
"""Categories of control and format characters and of ends of lines."""
_INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Fillers, which are letters or symbols by their category."""
_JOINERS = "\u200c\u200d"
_JOINED = ("Lo", "Mn", "Mc", "So", "Sk")
"""Categories behind which scripts and emoji need a joiner."""
_KNOWN = {"\n": "end of line", "\r": "carriage return", "\t": "tab", "\x1b": "escape"}


def hidden(name: str) -> str:
    """A clause that says which character of a name cannot be seen; empty if all can."""
    for place, character in enumerate(name):
        if not _is_hidden(name, place):
            continue
        what = _KNOWN.get(character) or unicodedata.name(character, "control character").lower()
        return (
            f"has U+{ord(character):04X} ({what}) as character {place + 1}: names must not "
            "contain invisible characters"
        )
    return ""


def _is_hidden(name: str, place: int) -> bool:
    character = name[place]
    if character in _JOINERS:
        before = name[place - 1] if place else ""
        return not before or unicodedata.category(before) not in _JOINED
    return character in _INVISIBLE or unicodedata.category(character) in _REFUSED
