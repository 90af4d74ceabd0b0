"""Format of an export: the contract's tables, and tables of the studio's own beside them.

`{table: {"schema": text, "data": [row]}}`. The seven tables of the contract have the contract's
columns only, since other studios drop a table that has a column which they do not know. What else
this studio keeps travels in tables of its own, `fts_<table>`. These have the same three columns
whatever they carry, since another studio makes each of them once and never adds a column:

- `row_id`: the row that it is about, of the domain's table in the contract; null for none;
- `row_sha256`: digest of that row as it was exported. If the row says something else by now, it was
  changed by another studio, and what this one kept about it may not be true any more;
- `extra_json`: the values by column, a JSON object.

The `schema` texts (`chassis.transfer.schemas`) are for other studios; they are never executed here.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

MAX_NAME = 100
"""How much of a name that the studio does not know a message shows."""
CONTRACT_COLUMNS: dict[str, tuple[str, ...]] = {
    table: tuple(columns.split())
    for table, columns in {
        "models": "id type framework name description huggingface_model_name location "
        "cml_registered_model_id mlflow_experiment_id mlflow_run_id",
        "datasets": "id type name description huggingface_name location features",
        "adapters": "id type name description huggingface_name model_id location "
        "fine_tuning_job_id prompt_id cml_registered_model_id mlflow_experiment_id mlflow_run_id",
        "prompts": "id type name description dataset_id prompt_template input_template "
        "completion_template",
        "fine_tuning_jobs": "id base_model_id dataset_id prompt_id num_workers cml_job_id "
        "adapter_id num_cpu num_gpu num_memory num_epochs learning_rate out_dir "
        "training_arguments_config_id model_bnb_config_id adapter_bnb_config_id lora_config_id "
        "training_arguments_config model_bnb_config adapter_bnb_config lora_config "
        "dataset_fraction train_test_split user_script user_config_id framework_type "
        "axolotl_config_id gpu_label_id adapter_name",
        "evaluation_jobs": "id type cml_job_id parent_job_id base_model_id dataset_id prompt_id "
        "num_workers adapter_id num_cpu num_gpu num_memory evaluation_dir model_bnb_config_id "
        "adapter_bnb_config_id generation_config_id model_bnb_config adapter_bnb_config "
        "generation_config",
        "configs": "id type description config model_family is_default",
    }.items()
}
"""Columns of each table of the contract, in its order. Every other column is the studio's own."""

OWN_COLUMNS = ("row_id", "row_sha256", "extra_json")
_OWN_PREFIX = "fts_"


def own_table(table: str) -> str:
    """Name of the table in which the studio's own values about a table travel."""
    return f"{_OWN_PREFIX}{table}"


def own_row(row_id: str | None, row_sha256: str | None, values: Mapping[str, Any]) -> str:
    """A row of a table of the studio's own, as JSON."""
    row = (row_id, row_sha256, json.dumps(values))
    return json.dumps(dict(zip(OWN_COLUMNS, row, strict=True)))


def digest(table: str, row: Mapping[str, Any]) -> str:
    """Digest of what a row says in the contract's columns, whichever way it spells a number."""
    values = [_comparable(row.get(name)) for name in CONTRACT_COLUMNS[table]]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _comparable(value: Any) -> Any:
    whole = isinstance(value, bool) or (isinstance(value, float) and value.is_integer())
    return int(value) if whole else value


def printable(name: str) -> str:
    """A name of a file as messages can carry it: not too long, and without half characters."""
    return name[:MAX_NAME].encode(errors="backslashreplace").decode()
