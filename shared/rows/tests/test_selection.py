"""No row that was trained on is ever scored."""

from typing import Any

import pytest
from datasets import Dataset, DatasetDict
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ft.api import DatasetMetadata
from rows import selection, templates
from rows.chat import conversations
from rows.chat.conversations import Conversations
from rows.errors import DataError, EmptyError

INPUT, COMPLETION = "Q: {question}", " {answer}"
COLUMNS = templates.used_columns(["question", "answer"], INPUT, COMPLETION)

share = st.integers(1, 10_000).map(lambda parts: parts / 10_000)
# Few values and blanks around them, so that many rows say the same.
text = st.builds("{}{}".format, st.sampled_from("abcd"), st.sampled_from(["", " ", "\n"]))
row = st.builds(lambda question, answer: {"question": question, "answer": answer}, text, text)
rows = st.lists(row, min_size=1, max_size=60)


def dataset(content: list[dict[str, str]], begin: int = 0) -> Dataset:
    """The rows, each with a number of its own that no prompt uses."""
    return Dataset.from_list([{**one, "id": begin + i} for i, one in enumerate(content)])


def said(rows: Dataset) -> set[tuple[str, str]]:
    """What the prompt makes of the rows, as a reader of the texts would compare them."""
    return {
        (templates.fill(INPUT, one).strip(), templates.fill(COMPLETION, one).strip())
        for one in rows.to_list()
    }


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(rows, st.lists(row, max_size=30), st.sampled_from(["test", "eval", None]), st.data())
def test_rows_trained_on_are_not_scored(
    content: list[dict[str, str]], own: list[dict[str, str]], own_name: str | None, data: Any
) -> None:
    splits = DatasetDict({"train": dataset(content)})
    if own_name is not None and own:
        splits[own_name] = dataset(own, begin=len(content))
    try:
        train, held_out = selection.split(splits, data.draw(share), data.draw(share))
        other, _ = selection.split(splits, data.draw(share), data.draw(share))
    except EmptyError:
        assume(False)
    fraction = data.draw(share)
    try:
        scored = selection.scored(held_out, [train, other], COLUMNS, fraction)
    except EmptyError:
        assert said(held_out) <= said(train) | said(other)
        return

    chosen = held_out.select(scored.positions)
    assert not said(chosen) & (said(train) | said(other))
    assert not set(chosen["id"]) & (set(train["id"]) | set(other["id"]))
    assert len(chosen) >= 1
    # Nothing else is left out.
    everything = selection.scored(held_out, [train, other], COLUMNS, 1.0)
    left = held_out.select(sorted(set(range(len(held_out))) - set(everything.positions)))
    assert len(left) == everything.trained_on == scored.trained_on
    assert said(left) <= said(train) | said(other)
    again = selection.scored(held_out, [train, other], COLUMNS, fraction)
    assert again == scored


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 200), share, share, share)
def test_held_out_rows_are_all_scored_if_all_differ(
    count: int, fraction: float, train_share: float, scored_share: float
) -> None:
    numbers = Dataset.from_dict({"n": list(range(count))})
    try:
        train, held_out = selection.split(DatasetDict({"train": numbers}), fraction, train_share)
        scored = selection.scored(held_out, [train], ["n"], scored_share)
    except EmptyError:
        return
    assert scored.trained_on == 0
    assert len(scored.positions) == len(selection.sample(held_out, scored_share, 0))


def test_row_whose_answer_differs_was_not_trained_on() -> None:
    train = Dataset.from_list([{"question": "a", "answer": "b"}])
    held_out = Dataset.from_list(
        [{"question": "a", "answer": "b "}, {"question": "a", "answer": "c"}]
    )
    assert selection.scored(held_out, [train], COLUMNS, 1.0) == selection.ScoredRows([1], 1)


def test_missing_value_is_an_empty_text() -> None:
    train = Dataset.from_list([{"question": "a", "answer": None}])
    held_out = Dataset.from_list([{"question": "a", "answer": ""}, {"question": "b", "answer": ""}])
    assert selection.scored(held_out, [train], COLUMNS, 1.0).positions == [1]


def test_whole_rows_are_compared_for_a_prompt_without_columns() -> None:
    train = Dataset.from_list([{"question": "a", "id": 1}])
    held_out = Dataset.from_list([{"question": "a", "id": 1}, {"question": "a", "id": 2}])
    assert selection.scored(held_out, [train], [], 1.0).positions == [1]


def test_rows_all_trained_on_leave_nothing_to_score() -> None:
    rows = Dataset.from_list([{"question": "a", "answer": "b"}] * 3)
    with pytest.raises(EmptyError, match="each of the 3 held-out rows has the same text"):
        selection.scored(rows, [rows], COLUMNS, 1.0)


def test_evaluation_of_nothing_is_refused() -> None:
    with pytest.raises(EmptyError, match="No rows are held out"):
        selection.scored(Dataset.from_dict({"n": []}), [], ["n"], 1.0)


def test_evaluation_scores_the_share_asked_for() -> None:
    rows = Dataset.from_dict({"n": list(range(10))})
    assert len(selection.scored(rows, [], ["n"], 0.5).positions) == 5


ASKED, ANSWERED = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}
MORE = [{"role": "user", "content": "bye"}, {"role": "assistant", "content": "ciao"}]


def talks(*given: list[dict[str, Any]]) -> Dataset:
    return Dataset.from_list([{"talk": one, "id": number} for number, one in enumerate(given)])


def of_talks(held_out: Dataset, *trained: Dataset) -> selection.ScoredRows:
    return selection.scored(held_out, trained, ["talk"], 1.0, Conversations("talk"))


@pytest.mark.parametrize(
    "trained",
    [
        [ASKED, ANSWERED],
        [dict(reversed(one.items())) for one in (ASKED, ANSWERED)],
        [ASKED, {**ANSWERED, "content": " hello\n", "weight": 1.0}],
        [ASKED, ANSWERED, *MORE],
        [ASKED, ANSWERED, ASKED],
    ],
)
def test_answer_that_was_trained_on_is_not_scored(trained: list[dict[str, Any]]) -> None:
    held_out = talks([ASKED, ANSWERED], [*MORE], [ASKED, {**ANSWERED, "content": "other"}])
    assert of_talks(held_out, talks(trained)) == selection.ScoredRows([1, 2], 1)


def test_answer_after_other_words_was_not_trained_on() -> None:
    train = talks([ASKED, ANSWERED], [ASKED, {**ANSWERED, "role": "user"}])
    held_out = talks([ASKED, ANSWERED, *MORE], [*MORE, ASKED, ANSWERED])
    assert of_talks(held_out, train) == selection.ScoredRows([0, 1], 0)


def test_conversations_without_an_answer_at_the_end_are_left_out_and_counted() -> None:
    blank = {"role": "assistant", "content": " "}
    given = talks([ASKED, ANSWERED, ASKED], [ANSWERED], [ASKED, blank], [ASKED, ANSWERED])
    assert of_talks(given) == selection.ScoredRows([3], 0, 3)
    with pytest.raises(EmptyError, match=r"each of the 4 .* does not end with an assistant's ans"):
        of_talks(given, given)


def test_answer_of_weight_0_is_neither_learned_nor_scored() -> None:
    unlearned = {**ANSWERED, "weight": 0}
    given = talks([ASKED, unlearned], [ASKED, ANSWERED], [ASKED, unlearned, *MORE])
    assert of_talks(given) == selection.ScoredRows([1, 2], 0, 1)
    # It was seen in training, but nobody was to learn it.
    assert of_talks(given, talks([ASKED, unlearned, *MORE])) == selection.ScoredRows([1], 1, 1)
    with pytest.raises(EmptyError, match="or that answer has weight 0"):
        of_talks(talks([ASKED, unlearned]))
    with pytest.raises(DataError, match="or that answer has weight 0"):
        Conversations("talk").question({"talk": [ASKED, unlearned]})


@pytest.mark.parametrize("roles", ["{", "[1]", '{"a": 1}', "7", "null", "[" * 100_000])
def test_broken_roles_of_a_record_are_refused_by_name(roles: str) -> None:
    with pytest.raises(
        DataError, match="The roles of dataset talks are not a JSON object of texts"
    ):
        conversations.roles_of(DatasetMetadata(name="talks", roles=roles))


def test_broken_conversation_is_not_skipped() -> None:
    given = talks([{"role": "user", "content": None}], [], [ASKED, ANSWERED])
    assert of_talks(given, given) == selection.ScoredRows([0, 1], 1)


def test_expected_text_of_a_conversation_is_its_last_answer() -> None:
    rows = talks([ASKED, ANSWERED])
    assert conversations.asked_column("{talk}", " {talk}\n", rows) == Conversations(
        "talk", filled_up=True
    )
    assert conversations.asked_column("Say {talk}", "{id}", rows) is None
    with pytest.raises(DataError, match=r"completion_template must be \{talk\} too"):
        conversations.asked_column("{talk}", "{id}", rows)
