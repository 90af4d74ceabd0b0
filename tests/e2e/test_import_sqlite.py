"""The database file of today's studio, every table filled, through `fts db import-sqlite`."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Studio, serving
from tests.support import run

COLUMNS = {
    "models": "id type framework name description huggingface_model_name location "
    "cml_registered_model_id mlflow_experiment_id mlflow_run_id",
    "datasets": "id type name description huggingface_name location features",
    "adapters": "id type name description huggingface_name model_id location "
    "fine_tuning_job_id prompt_id cml_registered_model_id mlflow_experiment_id mlflow_run_id",
    "prompts": "id type name description dataset_id prompt_template input_template "
    "completion_template",
    "fine_tuning_jobs": "id base_model_id dataset_id prompt_id num_workers cml_job_id adapter_id "
    "num_cpu num_gpu num_memory num_epochs learning_rate out_dir training_arguments_config_id "
    "model_bnb_config_id adapter_bnb_config_id lora_config_id training_arguments_config "
    "model_bnb_config adapter_bnb_config lora_config dataset_fraction train_test_split "
    "user_script user_config_id framework_type axolotl_config_id gpu_label_id adapter_name",
    "evaluation_jobs": "id type cml_job_id parent_job_id base_model_id dataset_id prompt_id "
    "num_workers adapter_id num_cpu num_gpu num_memory evaluation_dir model_bnb_config_id "
    "adapter_bnb_config_id generation_config_id model_bnb_config adapter_bnb_config "
    "generation_config",
    "configs": "id type description config model_family is_default",
}
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


def value(column: str, number: int) -> Any:
    if column in INTEGERS:
        return number + 1
    if column in FLOATS:
        return 0.25 * (number + 1)
    return f"{column} {number} ü"


def old_studio(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Makes the file; its rows by table. The last row of each table has nothing but its id."""
    rows: dict[str, list[dict[str, Any]]] = {}
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        db.execute("INSERT INTO alembic_version VALUES ('0123456789ab')")
        for table, names in COLUMNS.items():
            columns = names.split()
            db.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            rows[table] = [
                {column: value(column, number) for column in columns} for number in range(3)
            ]
            rows[table].append({**dict.fromkeys(columns), "id": f"bare {table}"})
            marks = ", ".join("?" * len(columns))
            for number, row in enumerate(rows[table][:3]):
                row["id"] = f"{table} {number}"
            db.executemany(
                f"INSERT INTO {table} VALUES ({marks})", [tuple(r.values()) for r in rows[table]]
            )
        db.commit()
    return rows


def test_every_value_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    rows = old_studio(file)
    before = file.read_bytes()
    with serving(tmp_path / "home") as studio:
        dry = studio.fts("db", "import-sqlite", str(file), "--dry-run")
        assert [len(table["taken"]) for table in dry["tables"]] == [4] * 7
        assert not own(studio, rows)["models"]
        studio.fts("db", "import-sqlite", str(file))
        assert own(studio, rows) == rows
        again = studio.fts("db", "import-sqlite", str(file))
        assert [len(table["identical"]) for table in again["tables"]] == [4] * 7
    assert file.read_bytes() == before
    assert list(tmp_path.glob("state.db*")) == [file]


def own(studio: Studio, rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """What the studio exports of these rows and of their columns."""
    target = studio.home / "export.json"
    done = run("fts", "db", "export", str(target), env=studio.env)
    assert done.returncode == 0, done.stderr
    exported = json.loads(target.read_text())
    ids = {table: {row["id"] for row in of} for table, of in rows.items()}
    return {
        table: [
            {column: row[column] for column in COLUMNS[table].split()}
            for row in exported[table]["data"]
            if row["id"] in ids[table]
        ]
        for table in COLUMNS
    }
