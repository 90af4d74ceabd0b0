"""JSON as chat templates write it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rows import template_json, values

numbers = st.from_regex(
    r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)


@given(st.lists(numbers))
def test_numbers_are_rendered_as_written(given: list[str]) -> None:
    text = "[" + ", ".join(given) + "]"
    assert template_json.dumps(values.from_json(text)) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.booleans(),
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_other_values_are_rendered_as_json(
    value: object, ascii: bool, indent: int | None, sort_keys: bool
) -> None:
    expected = json.dumps(value, ensure_ascii=ascii, indent=indent, sort_keys=sort_keys)
    assert template_json.dumps(value, ascii, indent, None, sort_keys) == expected


def test_invalid_json_is_refused() -> None:
    with pytest.raises(TypeError):
        template_json.dumps([object()])
