"""Templates over columns of any name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ft.templates import Placeholder, TemplateFault, parse

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}"), min_size=1)


@given(st.lists(names, min_size=1, unique=True), st.data())
def test_a_column_is_meant_by_its_name_whatever_characters_it_has(
    columns: list[str], data: st.DataObject
) -> None:
    parts = data.draw(st.lists(st.one_of(st.sampled_from(columns), st.just(None)), max_size=6))
    template = "".join(" a {{b}} " if one is None else f"{{{one}}}" for one in parts)
    found = [one.column for one in parse(template, columns).placeholders()]
    assert found == [one for one in parts if one is not None]


@given(st.text(alphabet='{}[]!:.a0 "\n', max_size=30))
def test_any_text_is_a_template_or_refused_with_its_place(text: str) -> None:
    try:
        parse(text, ["a", "a.a", "0"])
    except TemplateFault as fault:
        assert str(fault).startswith("line ")  # noqa: PT017


def test_a_brace_closes_a_name_that_has_one_unless_another_name_is_meant() -> None:
    assert parse("{a}b}", ["a}b"]).columns() == ["a}b"]
    assert parse("{a}}}", ["a", "a}"]).parts == (Placeholder("a", "a"), "}")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ('{"q": {a}}', "write {{ and }} for braces"),
        ("x\n{a", "line 2, character 1"),
        ("{a.real}", "use a[key] for an item"),
        ("{a:2000}", "wider than 1000"),
    ],
)
def test_a_fault_says_what_to_do(template: str, said: str) -> None:
    with pytest.raises(TemplateFault) as refused:
        parse(template, ["a"])
    assert said in str(refused.value)
