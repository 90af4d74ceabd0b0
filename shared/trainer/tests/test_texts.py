"""The column that is trained on."""

from datasets import Dataset

from rows.templates import training_text
from trainer import data


def test_the_text_is_that_of_those_who_look_beforehand() -> None:
    rows = Dataset.from_dict({"a": ["x", None], "b": [1, 2]})

    made = data.texts(rows, "{a}-{b}", "<end>")

    assert made.column_names == [data.TEXT_COLUMN]
    assert made[data.TEXT_COLUMN] == [training_text("{a}-{b}", row, "<end>") for row in rows]
    assert made[data.TEXT_COLUMN] == ["x-1<end>", "-2<end>"]
