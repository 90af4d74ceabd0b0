"""From rows to the one column of text that is trained on."""

from datasets import Dataset

from rows.templates import training_text

TEXT_COLUMN = "prediction"
"""The column with the text to train on."""


def texts(rows: Dataset, template: str, end_of_text: str) -> Dataset:
    """One column, TEXT_COLUMN: the filled template with the end of the text."""
    return rows.map(
        lambda row: {TEXT_COLUMN: training_text(template, row, end_of_text)},
        remove_columns=rows.column_names,
    )
