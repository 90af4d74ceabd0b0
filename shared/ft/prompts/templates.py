"""Prompt templates: texts with placeholders for the columns of a dataset.

If the whole text of a placeholder is the name of a column, it stands for that column, whatever
characters the name has, even braces. Otherwise Python's rules for format strings apply: a column,
its items by key or number, a conversion and a format, but no attributes. So the meaning of a
template depends on the columns of its dataset.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NoReturn

__all__ = ["MAX_WIDTH", "Placeholder", "Template", "TemplateFault", "parse", "too_wide", "visible"]

MAX_WIDTH = 1000
"""Largest width. Without a limit, a few digits could request more memory than any machine has."""
_MAX_WITHIN = 1
"""Depth of placeholders within formats: `str.format` accepts one, and so does this parser."""
_SHOWN = 30
"""Characters of a template that a message shows on each side of a fault."""
_CONVERSIONS = "sra"
_BEHIND_A_NAME = "}[!:"
_NAME = re.compile(r"[^\[\].!:{}]*")
_WHOLE_NAME = re.compile(r"\{([^{}\r\n]*)\}")
"""A placeholder with only a name in it, which may be empty or a number."""
_HINT = "write {{ and }} for braces that are text"
_MARKS = str.maketrans({" ": "·", "\n": "⏎", "\r": "␍", "\t": "→"})


class TemplateFault(ValueError):
    """The text is not a template. The message says why, and where."""


@dataclass(frozen=True)
class Placeholder:
    """A part of a template that is replaced by a value of each row."""

    text: str
    """Text between its braces."""
    column: str
    items: tuple[str, ...] = ()
    """Keys or numbers that are applied, one after the other, to the value of the column."""
    conversion: str = ""
    """`s`, `r` or `a`; empty if there is none."""
    format: "tuple[str | Placeholder, ...]" = ()
    """Parts of the format."""


@dataclass(frozen=True)
class Template:
    """A text in parts."""

    parts: tuple[str | Placeholder, ...]

    def placeholders(self) -> Iterator[Placeholder]:
        """Every placeholder in order; those within a format follow the placeholder that has the
        format."""
        yield from _placeholders(self.parts)

    def columns(self) -> list[str]:
        """The columns that the template uses, each once."""
        return list(dict.fromkeys(one.column for one in self.placeholders()))

    @property
    def bare_column(self) -> str:
        """The column, if the whole template is one placeholder such as `{messages}`; empty
        otherwise."""
        parts = [one for one in self.parts if not isinstance(one, str) or one.strip()]
        if len(parts) != 1 or isinstance(parts[0], str) or parts[0].items:
            return ""
        return parts[0].column


def parse(template: str, columns: Collection[str] | None) -> Template:
    """Parses a template for a dataset with these columns, or with any columns if None.

    A placeholder may name a column that the dataset does not have. If the columns are not known,
    every text that could be the name of a column is accepted. Raises TemplateFault.
    """
    return Template(tuple(_TemplateParser(template, columns).parts()))


def too_wide(format: str) -> bool:
    """Tells whether a format requests more than MAX_WIDTH characters."""
    numbers = (number.lstrip("0") or "0" for number in re.findall(r"[0-9]+", format))
    return any(len(one) > len(str(MAX_WIDTH)) or int(one) > MAX_WIDTH for one in numbers)


def visible(text: str) -> str:
    """The text with visible marks instead of spaces, tabs and line breaks."""
    return text.translate(_MARKS)


def _placeholders(parts: tuple[str | Placeholder, ...]) -> Iterator[Placeholder]:
    for part in parts:
        if isinstance(part, Placeholder):
            yield part
            yield from _placeholders(part.format)


class _TemplateParser:
    """Parses a template from the first to the last character."""

    def __init__(self, template: str, columns: Collection[str] | None) -> None:
        self._template = template
        self._at = 0
        self._within = 0
        self._columns = frozenset(columns or ())
        self._any_column = columns is None
        self._columns_in_braces = any(name.startswith("{") for name in self._columns)
        # The longest first: of `a` and `a[b]`, `{a[b]}` is the second. A name with a closing brace
        # in it comes last, so that it never changes what another one means.
        kinds = {("}" in name, -len(name)) for name in self._columns}
        self._lengths = [(closing, -length) for closing, length in sorted(kinds)]

    def parts(self) -> Iterator[str | Placeholder]:
        literal = ""
        while self._at < len(self._template):
            character = self._template[self._at]
            if character in "{}":
                if self._template.startswith(character * 2, self._at) and not self._is_column():
                    self._at += 1
                elif character == "}":
                    self._fail(self._at, "'}' closes no placeholder", _HINT)
                else:
                    if literal:
                        yield literal
                    literal = ""
                    yield self._placeholder()
                    continue
            literal += character
            self._at += 1
        if literal:
            yield literal

    def _placeholder(self) -> Placeholder:
        begin = self._at
        try:
            self._at += 1
            column = self._known_column()
            if column is None:
                column = self._python_name(begin)
            items = tuple(self._items(begin))
            conversion = self._conversion(begin)
            format = self._format(begin)
            if self._next() != "}":
                self._not_closed(begin)
            self._at += 1
        except TemplateFault:
            whole = _WHOLE_NAME.match(self._template, begin) if self._any_column else None
            if whole is None or _is_json(whole[1]):
                raise
            # It may be the name of a column; this is decided when the columns are known.
            self._at = whole.end()
            return Placeholder(whole[1], whole[1])
        return Placeholder(
            self._template[begin + 1 : self._at - 1], column, items, conversion, format
        )

    def _is_column(self) -> bool:
        """Tells whether the first of two or more braces opens a placeholder, and the others begin
        the name of a column."""
        if not self._columns_in_braces or self._next() != "{":
            return False
        begin, opened = self._at, self._run("{", self._at)
        self._at += 1
        name = self._known_column(strict=True) or ""
        self._at = begin
        return name != "" and opened == 1 + len(name) - len(name.lstrip("{"))

    def _run(self, brace: str, at: int) -> int:
        end = at
        while self._template.startswith(brace, end):
            end += 1
        return end - at

    def _known_column(self, strict: bool = False) -> str | None:
        """The column that is named here. If its closing brace is one of a pair, it is returned only
        if no other name fits, and never if `strict`."""
        paired = None
        for closing, length in self._lengths:
            end = self._at + length
            name = self._template[self._at : end]
            # A column without a name is whole, or `{[0]}` would be an item of it.
            behind = _BEHIND_A_NAME if length else "}"
            if end >= len(self._template) or self._template[end] not in behind:
                continue
            if name not in self._columns or ("}" in name) != closing:
                continue
            if self._within or self._template[end] != "}" or self._run("}", end) % 2:
                self._at = end
                return name
            paired = paired or name
        if strict or paired is None:
            return None
        self._at += len(paired)
        return paired

    def _python_name(self, begin: int) -> str:
        found = _NAME.match(self._template, self._at)
        assert found is not None
        name = found[0]
        self._at = found.end()
        behind = self._next()
        if behind == "{" or _is_json(name):
            shown = visible(self._template[begin : self._at][:_SHOWN])
            self._fail(begin, f"{shown} does not begin a placeholder", _HINT)
        if not behind:
            self._not_closed(begin)
        if behind == "]":
            self._fail(begin, "']' closes nothing")
        if behind == ".":
            end = re.compile(r"[\[\]!:{}]").search(self._template, self._at)
            whole = self._template[begin + 1 : end.start() if end else None]
            if name in self._columns or not end:
                self._fail(begin, f"{{{whole}}} uses an attribute; use {name}[key] for an item")
            # Flattened data has such names; whether the dataset has this one is seen with others.
            self._at = end.start()
            return whole
        if not name or name.isdigit():
            self._fail(begin, f"{{{name}}} must name a column", _HINT)
        return name

    def _items(self, begin: int) -> Iterator[str]:
        while self._next() == "[":
            end = self._template.find("]", self._at)
            if end < 0:
                self._fail(self._at, "'[' is not closed")
            item = self._template[self._at + 1 : end]
            if not item:
                self._fail(self._at, "[] names no item: put a key or a number into it")
            self._at = end + 1
            yield item
            if self._next() not in ("[", "!", ":", "}", ""):
                text = self._template[begin : self._at]
                self._fail(self._at, f"{text} must be followed by '}}', '[', '!' or ':'")

    def _conversion(self, begin: int) -> str:
        if self._next() != "!":
            return ""
        found = self._template[self._at + 1 : self._at + 2]
        if not found:
            self._not_closed(begin)
        if found not in _CONVERSIONS or self._template[self._at + 2 : self._at + 3] not in "}:":
            self._fail(self._at, "unknown conversion: only !s, !r and !a are known")
        self._at += 2
        return found

    def _format(self, begin: int) -> tuple[str | Placeholder, ...]:
        if self._next() != ":":
            return ()
        self._at += 1
        parts: list[str | Placeholder] = []
        literal = ""
        while (character := self._next()) not in ("}", ""):
            if character == "{":
                if self._within >= _MAX_WITHIN:
                    self._fail(self._at, "this placeholder is nested too deeply")
                self._within += 1
                parts += [literal, self._placeholder()]
                self._within -= 1
                literal = ""
                continue
            literal += character
            self._at += 1
        parts.append(literal)
        if any(isinstance(part, str) and too_wide(part) for part in parts):
            self._fail(begin, f"this placeholder is wider than {MAX_WIDTH} characters")
        return tuple(part for part in parts if part)

    def _next(self) -> str:
        return self._template[self._at : self._at + 1]

    def _not_closed(self, begin: int) -> NoReturn:
        self._fail(begin, "'{' is not closed", _HINT)

    def _fail(self, at: int, why: str, hint: str = "") -> NoReturn:
        line = self._template.count("\n", 0, at) + 1
        column = at - (self._template.rfind("\n", 0, at) + 1) + 1
        before = self._template[max(0, at - _SHOWN) : at]
        behind = self._template[at : at + _SHOWN]
        shown = visible(f"{before}»{behind}")
        place = f"line {line}, character {column}"
        raise TemplateFault(f"{place} ({shown}): {why}" + (f"; {hint}" if hint else ""))


def _is_json(name: str) -> bool:
    """Tells whether a name looks like the beginning of an object in JSON."""
    return name.lstrip()[:1] in ('"', "'") or (name != name.lstrip() and not name.strip())
