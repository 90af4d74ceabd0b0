"""Arguments that any script gets back as they were meant."""

import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rpc.domain_request import decimal
from chassis.rpc.errors import InvalidArgument
from jobs.requests.arguments import compact_json, encode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_json_of_any_kind_travels_as_one_word(value: Any) -> None:
    text = compact_json(value)
    assert text.isascii()
    assert text.split() == [text]
    assert json.loads(text) == value


@given(st.dictionaries(st.text(), JSON, min_size=1, max_size=4))
def test_scripts_that_split_on_blanks_get_every_flag(config: dict[str, Any]) -> None:
    words = encode({"first": 1, "config": compact_json(config), "last": "z"}).split(" ")
    assert words[0:3] == ["--first", "1", "--config"]
    assert json.loads(words[3]) == config
    assert words[4:] == ["--last", "z"]


def test_unset_values_are_left_out_and_zero_is_not() -> None:
    flags = {"none": None, "no": False, "empty": "", "yes": True, "zero": 0, "label": -1}
    assert encode(flags) == "--yes --zero 0 --label -1"


@pytest.mark.parametrize("text", ["a b", "a\tb", "a\u00a0b", "a\nb", "a\0b", "-x", "--flag", "-"])
def test_argument_that_a_script_would_not_get_unchanged_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        encode({"good": "x", "one": text, "two": text}, field="arguments")
    assert [v.field for v in refused.value.violations] == ["arguments.one", "arguments.two"]
    assert repr(text) in refused.value.message


@pytest.mark.parametrize("number", [-1, -0.5, -1e-07])
def test_negative_numbers_are_no_flags(number: float) -> None:
    assert encode({"n": number}) == f"--n {number}"


@pytest.mark.parametrize(
    "typed", [2e-4, 2e-3, 0.9, 0.1, 1.0, 0.33, 1e-5, 3.1415, 0.123456, 5e-05, 100.0]
)
def test_typed_decimal_comes_back_from_32_bits(typed: float) -> None:
    assert decimal(struct.unpack("f", struct.pack("f", typed))[0]) == typed


@given(st.floats(width=32, allow_nan=False))
def test_decimal_is_always_the_same_32_bit_float(value: float) -> None:
    assert struct.pack("f", decimal(value)) == struct.pack("f", value)


@given(st.floats(min_value=2.0**-60, max_value=2.0**60, width=32))
def test_decimal_is_never_longer_than_needed(value: float) -> None:
    assert math.isclose(decimal(value), value, rel_tol=1e-6)
    assert len(repr(decimal(value))) <= len(repr(value))
