"""Text that is safe to print."""

import json

from hypothesis import given
from hypothesis import strategies as st

from ft.terminal import NOT_PRINTED, printable, printable_json


@given(st.text(alphabet=st.characters(codec=None), max_size=50))
def test_nothing_that_commands_a_terminal_is_left(text: str) -> None:
    shown = printable(text)
    assert not NOT_PRINTED.search(shown)
    shown.encode("utf-8")
    if not NOT_PRINTED.search(text):
        assert shown == text


@given(st.text(max_size=50))
def test_json_means_the_same(text: str) -> None:
    shown = printable_json(json.dumps([text], ensure_ascii=False))
    assert not NOT_PRINTED.search(shown)
    assert json.loads(shown) == [text]


def test_newlines_tabs_and_letters_stay() -> None:
    assert printable("a\n\tä中אב👨\u200d👩 e\u0301") == "a\n\tä中אב👨\u200d👩 e\u0301"
    assert printable("\x1b]0;x\x07\r\u202e\x9b") == "\\x1b]0;x\\x07\\r\\u202e\\x9b"
