"""Losses as a line of bars."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ft.cli.watch import sparkline

FINITE = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""),
        ([1.0], ""),
        ([1.0, 1.0], "▁▁"),
        ([2.0, 1.0], "█▁"),
        ([0.0, 7.0, 3.5], "▁█▅"),
        ([0.0, 2e-313], "▁█"),
    ],
)
def test_sparkline_has_expected_bars(values: list[float], line: str) -> None:
    assert sparkline(values) == line


@given(st.lists(FINITE, min_size=2, max_size=300), st.integers(2, 40))
def test_sparkline_never_gets_wider(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == min(len(values), width)


@given(st.lists(FINITE, min_size=2, max_size=300, unique=True))
def test_sparkline_of_falling_values_ends_lower(values: list[float]) -> None:
    line = sparkline(sorted(values, reverse=True))
    assert line[0] == "█"
    assert line[-1] == "▁"
