"""A model of the studio that is in use today, as far as its database file and its exports go."""

import json
import sqlite3
import uuid
from pathlib import Path
from typing import Any

Document = dict[str, dict[str, Any]]

COLUMNS = {
    table: columns.split()
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
"""The seven tables with their columns, in order."""
INTEGERS = {
    "num_workers",
    "num_cpu",
    "num_gpu",
    "num_memory",
    "num_epochs",
    "gpu_label_id",
    "is_default",
}
FLOATS = {"learning_rate", "dataset_fraction", "train_test_split"}


def sql_type(column: str) -> str:
    return "INTEGER" if column in INTEGERS else "FLOAT" if column in FLOATS else "VARCHAR"


class TodaysStudio:
    """A running studio of today. It makes its tables at start, and ships `configs` of its own."""

    def __init__(
        self, file: Path, configs: list[tuple[str, str | None, str]] | None = None
    ) -> None:
        self.db = sqlite3.connect(file)
        self.db.row_factory = sqlite3.Row
        self.db.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        for table, columns in COLUMNS.items():
            typed = ", ".join(f"{c} {sql_type(c)}" for c in columns if c != "id")
            self.db.execute(f"CREATE TABLE {table} (id VARCHAR NOT NULL PRIMARY KEY, {typed})")
        for type, description, config in configs or []:
            self.insert(
                "configs",
                id=str(uuid.uuid4()),
                type=type,
                description=description,
                config=config,
                is_default=1,
            )

    def insert(self, table: str, **values: Any) -> None:
        marks = ", ".join("?" * len(values))
        statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
        self.db.execute(statement, tuple(values.values()))

    def take(self, document: Document) -> set[str]:
        """Imports a document; the tables that it has dropped without a word."""
        dropped = set()
        known = {row["name"] for row in self.db.execute("SELECT name FROM sqlite_master")}
        for table, content in document.items():
            self.db.execute("SAVEPOINT importing")
            try:
                if table not in known:
                    self.db.execute(content["schema"])
                for row in content["data"]:
                    columns = list(content["data"][0])
                    self.insert(table, **{column: row[column] for column in columns})
            except (sqlite3.Error, KeyError):
                self.db.execute("ROLLBACK TO importing")
                dropped.add(table)
            self.db.execute("RELEASE importing")
        return dropped

    def export(self, *, unknown_tables: bool = False) -> Document:
        """The document that it exports, of its own tables or of all that its database has."""
        tables = self.db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        return json.loads(
            json.dumps(
                {
                    row["name"]: {
                        "schema": row["sql"],
                        "data": [dict(r) for r in self.db.execute(f"SELECT * FROM {row['name']}")],
                    }
                    for row in tables.fetchall()
                    if unknown_tables or row["name"] in COLUMNS
                }
            )
        )


def seven(document: Document) -> dict[str, list[dict[str, Any]]]:
    """The rows of the seven tables, in an order of their own."""
    return {
        table: sorted(document[table]["data"], key=lambda row: str(row["id"])) for table in COLUMNS
    }
