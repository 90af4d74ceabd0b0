"""Table of results of an evaluation job: a CSV file in its folder with a row for each answer."""

TABLE_FILE = "result_evaluation.csv"
INPUT, EXPECTED, OUTPUT = "model_input", "expected_output", "model_output"
"""Columns that every table has."""
FEATURE_SUFFIX = "_$useradded$"
"""Suffix of columns that are copied from the dataset, because the request asks for them."""
