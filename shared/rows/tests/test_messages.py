"""Conversations in each format of the field have the same form."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rows.cell_types import dataset_of
from rows.chat import messages
from rows.chat.conversations import Conversations, column_of

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
arguments = st.dictionaries(
    texts,
    st.one_of(texts, st.integers(), st.booleans(), st.lists(st.integers(), max_size=2)),
    max_size=3,
)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Messages in the form that all formats are brought into."""
    made: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 4))):
        made.append({"role": "user", "content": draw(texts)})
        answer: dict[str, Any] = {"role": "assistant", "content": draw(texts)}
        if draw(st.booleans()):
            function = {"name": draw(texts), "arguments": draw(arguments)}
            answer["tool_calls"] = [{"id": "1", "type": "function", "function": function}]
        if draw(st.booleans()):
            answer["weight"] = draw(st.sampled_from([0, 1]))
        made.append(answer)
        if "tool_calls" in answer:
            made.append({"role": "tool", "content": draw(texts), "tool_call_id": "1"})
    return made


def openai(talk: list[dict[str, Any]], data: st.DataObject) -> list[dict[str, Any]]:
    """The conversation as OpenAI's format has it, in one of its spellings."""
    made = []
    for message in talk:
        one = dict(message)
        if "tool_calls" in one:
            one["tool_calls"] = [
                {
                    **call,
                    "function": {
                        **call["function"],
                        "arguments": json.dumps(call["function"]["arguments"]),
                    },
                }
                for call in one["tool_calls"]
            ]
        if one["content"] == "" and "tool_calls" in one:
            ways = [None, "", "absent"]
            if (way := data.draw(st.sampled_from(ways))) == "absent":
                del one["content"]
            else:
                one["content"] = way
        elif data.draw(st.booleans()):
            at = data.draw(st.integers(0, len(one["content"])))
            halves = (one["content"][:at], one["content"][at:])
            one["content"] = [{"type": "text", "text": half} for half in halves]
        made.append(one)
    return made


def sharegpt(talk: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {"user": "human", "assistant": "gpt", "tool": "observation"}
    return [
        {
            "from": names[one["role"]],
            "value": one["content"],
            **{key: value for key, value in one.items() if key not in ("role", "content")},
        }
        for one in talk
    ]


ROLES = {"human": "user", "gpt": "assistant", "observation": "tool"}


@given(conversations(), st.data())
def test_formats_have_one_form(talk: list[dict[str, Any]], data: st.DataObject) -> None:
    assert messages.of(openai(talk, data), {}) == talk
    assert messages.of(sharegpt(talk), ROLES) == talk
    assert messages.of(talk, {}) == talk


@given(st.lists(conversations(), min_size=1, max_size=3), st.data())
def test_columns_have_one_form(talks: list[list[dict[str, Any]]], data: st.DataObject) -> None:
    for kept in ([openai(talk, data) for talk in talks], list(map(sharegpt, talks))):
        rows = dataset_of("talk", kept)
        found = column_of("{talk}", rows, ROLES)
        assert found is not None
        assert [found.messages(row) for row in rows] == talks
        assert [len(found.answers(row)) for row in rows] == [
            sum(one["role"] == "assistant" and one.get("weight") != 0 for one in talk)
            for talk in talks
        ]


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), texts),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(
                    [
                        "role",
                        "from",
                        "value",
                        "content",
                        "tool_calls",
                        "weight",
                        "type",
                        "text",
                        "function",
                        "name",
                    ]
                ),
                inner,
                max_size=4,
            ),
        ),
        max_leaves=12,
    )
)
def test_column_value_is_used_or_refused_in_words(value: Any) -> None:
    from rows.errors import DataError

    try:
        made = Conversations("talk").messages({"talk": value})
    except DataError as error:
        assert str(error).startswith("column talk")  # noqa: PT017
    else:
        assert all(isinstance(one["content"], str) for one in made)
        assert all(isinstance(one["role"], str) for one in made)
