"""Templates over columns of any name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ft.prompts.templates import Placeholder, TemplateFault, parse

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}"), min_size=1)


@given(st.lists(names, min_size=1, unique=True), st.data())
def test_column_name_may_have_any_characters(columns: list[str], data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.one_of(st.sampled_from(columns), st.just(None)), max_size=6))
    template = "".join(" a {{b}} " if one is None else f"{{{one}}}" for one in parts)
    found = [one.column for one in parse(template, columns).placeholders()]
    assert found == [one for one in parts if one is not None]


@given(st.text(alphabet='{}[]!:.a0 "\n', max_size=30))
def test_random_text_is_a_template_or_refused_with_its_place(text: str) -> None:
    try:
        parse(text, ["a", "a.a", "0"])
    except TemplateFault as fault:
        assert str(fault).startswith("line ")  # noqa: PT017


def test_brace_closes_a_name_that_has_one_unless_another_name_is_meant() -> None:
    assert parse("{a}b}", ["a}b"]).columns() == ["a}b"]
    assert parse("{a}}}", ["a", "a}"]).parts == (Placeholder("a", "a"), "}")


any_name = st.text(st.sampled_from('{}a[]!:.0" '), min_size=1, max_size=6)


@given(any_name, st.sampled_from(["", " x", "{{", "{{y"]), st.sampled_from(["", "x ", "}} "]))
def test_braces_in_a_name_are_its_own(name: str, before: str, behind: str) -> None:
    literal = before if name.lstrip("{") == name else before.replace("{{", "z")
    placeholder = f"{{{name}}}"
    # Behind a name that ends in a brace a pair of braces could be its end, too.
    text = f"{literal}{placeholder}{'' if name.endswith('}') else behind}"
    assert [one.column for one in parse(text, [name]).placeholders()] == [name]


@pytest.mark.parametrize(
    ("template", "parts"),
    [
        ("{{c}}", (Placeholder("{c}", "{c}"),)),
        ("{{{{c}}}}", ("{", Placeholder("{c}", "{c}"), "}")),
        ("{{{c}}}", ("{", Placeholder("c", "c"), "}")),
        ("{{b}} {c}", ("{b} ", Placeholder("c", "c"))),
        ("{c}}", (Placeholder("c}", "c}"),)),
        ("{c:{c}}", (Placeholder("c:{c}", "c", format=(Placeholder("c", "c"),)),)),
    ],
)
def test_doubled_braces_are_text_unless_a_column_has_that_name(
    template: str, parts: tuple[object, ...]
) -> None:
    assert parse(template, ["c", "{c}", "c}", "{"]).parts == parts


@pytest.mark.parametrize("name", ["a:2000", "a]", "a!x", "[a", "a[", "a[]", "a[0]b", "a:{b"])
def test_possible_columns_are_no_fault_while_columns_are_unknown(name: str) -> None:
    if "{" not in name:
        assert parse(f"x {{{name}}}", None).columns() == [name]
    assert parse(f"x {{{name}}}", [name]).columns() == [name]
    with pytest.raises(TemplateFault):
        parse(f"x {{{name}}}", ["a", "b"]).columns()


@pytest.mark.parametrize("template", ["{", "}", '{"q": 1}', "{a\n:2000}", "{ {a} }"])
def test_impossible_names_are_a_fault_for_any_columns(template: str) -> None:
    with pytest.raises(TemplateFault):
        parse(template, None)


@pytest.mark.parametrize("name", ["", "0", "12", "0[0]", "!", "0:"])
def test_columns_may_have_unusable_names(name: str) -> None:
    assert parse(f"{{{name}}}", [name]).columns() == [name]
    assert parse(f"{{{name}}}", None).parts != ()
    with pytest.raises(TemplateFault):
        parse("{" + name + "}", ["a"])


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ('{"q": {a}}', "write {{ and }} for braces"),
        ("x\n{a", "line 2, character 1"),
        ("{a.real}", "use a[key] for an item"),
        ("{a:2000}", "wider than 1000"),
    ],
)
def test_fault_names_the_remedy(template: str, said: str) -> None:
    with pytest.raises(TemplateFault) as refused:
        parse(template, ["a"])
    assert said in str(refused.value)
