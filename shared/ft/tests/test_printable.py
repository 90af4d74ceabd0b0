"""Text that is safe to print."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ft.cli.output.log_text import LogText, log_lines
from ft.text.printable import printable, printable_json, printable_line

ENCODINGS = ("utf-8", "ascii", "cp1252", "latin-1", "koi8-r")
HOSTILE = (
    *map(chr, range(32)),
    *map(chr, range(0x7F, 0xA0)),
    *"\xad\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff",
    *"\u115f\u3164\uffa0\U000e0001\U000e0041",
)


@pytest.mark.parametrize("character", [one for one in HOSTILE if one not in "\n\t"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_control_and_invisible_characters_are_escaped(character: str, encoding: str) -> None:
    shown = printable(f"a{character}b", encoding)
    assert shown.isascii()
    assert shown.isprintable()
    assert shown.startswith("a\\")


@pytest.mark.parametrize(
    "text",
    [
        "plain, [red]markup[/red] :smile: \\x1b",
        "two\nlines\tand a tab",
        "Größe Straße",
        "日本語 ไทย हिन्दी שלום",
        "می\u200cخواهم",  # noqa: RUF001  # Persian
        "क्\u200dष",
        "👨\u200d👩\u200d👧 ☀\ufe0f",
        "e\u0301",
        "\u0600\u0661",
    ],
)
def test_visible_characters_stay(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    "text", ["ad\u200dmin", "a\u200c", "\u200dख", "क\u200d\u200dष", "क\u200d "]
)
def test_joiner_that_joins_nothing_is_escaped(text: str) -> None:
    shown = printable(text)
    assert "\u200d" not in shown
    assert "\u200c" not in shown
    assert "\\u200" in shown


@given(st.text(), st.sampled_from(ENCODINGS))
def test_random_text_can_be_printed(text: str, encoding: str) -> None:
    shown = printable(text, encoding)
    shown.encode(encoding)
    for one in shown:
        assert one in "\n\t\u200c\u200d" or unicodedata.category(one) not in ("Cc", "Cs", "Zl")
    line = printable_line(text, encoding)
    assert "\n" not in line
    assert len(line.splitlines()) <= 1


@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda some: st.lists(some, max_size=3)),
    st.sampled_from(ENCODINGS),
)
def test_json_is_the_same_value_and_has_no_control_character(value: object, encoding: str) -> None:
    shown = printable_json(value, encoding)
    assert json.loads(shown) == value
    shown.encode(encoding)
    assert all(one == "\n" or unicodedata.category(one) not in ("Cc", "Cf", "Cs") for one in shown)


@pytest.mark.parametrize(
    ("log", "lines"),
    [
        (b"", []),
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\r\ntwo", ["one", "two"]),
        (b"  0%\r 50%\r100%\ndone\n", ["100%", "done"]),
        (b"10%\r20%\r", ["20%"]),
        (b"a\x0bb\x85\n", ["a\x0bb\\x85"]),
        (b"\xff\xfe\n", ["\\xff\\xfe"]),
    ],
)
def test_log_lines_are_printed(log: bytes, lines: list[str]) -> None:
    assert log_lines(log) == lines


@given(st.lists(st.binary(max_size=8) | st.sampled_from([b"\r", b"\n", b"\r\n", "ü".encode()])))
def test_log_parts_may_be_split_anywhere(parts: list[bytes]) -> None:
    text = LogText()
    shown = "".join(text.feed(part) for part in parts) + text.end()
    whole = LogText()
    assert shown == whole.feed(b"".join(parts)) + whole.end()
    assert "\r" not in shown


def test_followed_log_shows_each_state_as_it_comes() -> None:
    text = LogText(follow=True)
    parts = (b"load", b"ing\n", b"\r 1%", b"\r 2%", b"\r 3%\r", b" 4%", b"\r\n", b"end\n")
    shown = [text.feed(part) for part in parts]
    assert shown == ["load", "ing\n", " 1%", "\n 2%", "\n 3%", "\n 4%", "\n", "end\n"]
    assert text.end() == ""
