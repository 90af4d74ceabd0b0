"""Lists of every domain read by an index, whatever the number of rows, or say that they cannot."""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from sqlalchemy import text
from sqlalchemy.dialects.sqlite import dialect

from chassis.rpc import errors, rules
from chassis.store.engine import Store
from chassis.store.lists import TableList
from chassis.store.records import TIMES, Record, Records
from chassis.store.scan import SORTED_ROWS, WINDOW_ROWS
from chassis.store.statements import RawRow, Statement
from ft.proto import fine_tuning_studio_jobs_pb2 as jobs
from ft.proto import fine_tuning_studio_pb2 as studio
from services.adapters.store import Adapter
from services.configs.store import Config
from services.datasets.store import Dataset
from services.evaluation.store import EvaluationJob
from services.fine_tuning.store import FineTuningJob
from services.models.exports.store import ExportJob
from services.models.store import Model
from services.prompts.store import Prompt

SERVICES = Path("services")
KINDS: list[tuple[str, type[Record], type[Message]]] = [
    ("adapters", Adapter, studio.ListAdaptersResponse),
    ("configs", Config, studio.ListConfigsResponse),
    ("datasets", Dataset, studio.ListDatasetsResponse),
    ("evaluation", EvaluationJob, studio.ListEvaluationJobsResponse),
    ("fine_tuning", FineTuningJob, studio.ListFineTuningJobsResponse),
    ("models", ExportJob, jobs.ListExportJobsResponse),
    ("models", Model, studio.ListModelsResponse),
    ("prompts", Prompt, studio.ListPromptsResponse),
]
MANY = 50_000


class Noted(Store):
    """A store that notes what is read."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.noted: list[tuple[str, Any]] = []

    def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[RawRow]:
        self.noted.append(statement.bound(dialect(), values))
        return super().fetch(statement, values)


@dataclass
class Listed:
    """A list, and its file."""

    store: Noted
    table: TableList[Any]
    kind: type[Record]
    file: Path

    async def page(self, **fields: Any) -> tuple[Any, list[tuple[str, Any]]]:
        """A page, and the statements that it took."""
        self.store.noted.clear()
        request = studio.ListPromptsRequest(**{"page_size": 10, **fields})
        data = await self.table.answer(request)
        return studio.ListPromptsResponse.FromString(data), list(self.store.noted)

    async def steps(self, **fields: Any) -> tuple[int, str]:
        """Steps of SQLite's machine for a page, and the token of the next one."""
        page, statements = await self.page(**fields)
        count = 0

        def step() -> None:
            nonlocal count
            count += 1

        with sqlite3.connect(self.file) as connection:
            connection.set_progress_handler(step, 1)
            for sql, parameters in statements:
                connection.execute(sql, parameters).fetchall()
        return count, page.next_page_token

    def plan(self, statement: tuple[str, Any]) -> str:
        """How SQLite carries a statement out."""
        sql, parameters = statement
        with sqlite3.connect(self.file) as connection:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
            return "; ".join(row[3] for row in rows)


async def opened(folder: Path, service: str, kind: type[Record], response: type[Message]) -> Listed:
    file = folder / "list.db"
    store = Noted(service, f"sqlite:///{file}", SERVICES / service / "migrations")
    await store.open()
    also = ["state"] if "state" in kind.table().columns else []
    return Listed(store, TableList(Records(store, kind), response, also=also), kind, file)


@pytest.mark.parametrize(("service", "kind", "response"), KINDS)
async def test_page_by_an_indexed_field_is_read_from_its_index(
    tmp_path: Path, service: str, kind: type[Record], response: type[Message]
) -> None:
    listed = await opened(tmp_path, service, kind, response)
    for name in sorted(kind.listed_by()):
        for order in (name, f"{name} desc"):
            _, [first] = await listed.page(order_by=order)
            plan = listed.plan(first)
            assert f"USING INDEX list_{kind.__tablename__}_{name}" in plan, order
            assert "TEMP B-TREE" not in plan or order == "id desc", (order, plan)
        if name in TIMES:
            _, [count, _] = await listed.page(filter={name: "2026-01-02T03:04:05Z"})
            plan = listed.plan(count)
        else:
            _, [first] = await listed.page(filter={name: "x"})
            plan = listed.plan(first)
            assert "TEMP B-TREE" not in plan, name
        assert f"SEARCH {kind.__tablename__} USING" in plan, name
        assert f"INDEX list_{kind.__tablename__}_{name}" in plan, name
    await listed.store.close()


def test_references_and_names_of_lists_are_indexed() -> None:
    for _, kind, response in KINDS:
        [items] = (field for field in response.DESCRIPTOR.fields if field.is_repeated)
        assert items.message_type is not None
        shown = set(items.message_type.fields_by_name) | {"state"}
        columns = kind.table().columns
        expected = {
            name
            for name in shown & set(columns.keys())
            if columns[name].type.python_type is str
            and (name in ("id", "name", "type", "state") or name.endswith("_id"))
        }
        assert expected | set(TIMES) <= kind.listed_by(), kind


def fill(rows: int) -> str:
    """SQL that adds prompts up to a number of rows: all of few types, every other without data."""
    return f"""
        WITH RECURSIVE n(i) AS (
            SELECT coalesce(max(seq), 0) + 1 FROM prompts
            UNION ALL SELECT i + 1 FROM n WHERE i < {rows}
        )
        INSERT INTO prompts(id, name, type, dataset_id, prompt_template, created_at, updated_at)
        SELECT printf('%08x', (i * 2654435761) % 4294967296), 'prompt ' || i,
               CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END,
               CASE i % 2 WHEN 0 THEN 'd' || (i / 100) END, 't' || (i % 7),
               printf('2026-01-02 %02d:%02d:%02d.000000', i / 3600, i / 60 % 60, i % 60),
               '2026-01-02 03:04:05.000000'
        FROM n"""


@pytest.fixture
async def prompts(tmp_path: Path) -> AsyncIterator[Listed]:
    """The list of prompts."""
    listed = await opened(tmp_path, "prompts", Prompt, studio.ListPromptsResponse)
    yield listed
    await listed.store.close()


@pytest.mark.slow
async def test_page_of_many_rows_takes_the_steps_of_a_page_of_few(prompts: Listed) -> None:
    fields = sorted(Prompt.listed_by())
    orders = ["", *fields, *(f"{name} desc" for name in fields)]
    filters = {"type": "a", "name": "prompt 77", "dataset_id": "", "id": "00000001"}
    few: dict[str, tuple[int, int]] = {}
    for rows in (1_000, MANY):
        await prompts.store.write(lambda c, rows=rows: c.execute(text(fill(rows))))
        requests = [{"order_by": order} for order in orders]
        requests += [{"filter": {name: value}} for name, value in filters.items()]
        for request in requests:
            first, token = await prompts.steps(**request)
            later, _ = await prompts.steps(**request, page_token=token) if token else (0, "")
            small = few.setdefault(str(request), (first, later))
            assert (first, later) <= (small[0] + 300, small[1] + 300), request


@pytest.mark.slow
async def test_filter_by_another_field_reads_a_bounded_number_of_rows(prompts: Listed) -> None:
    await prompts.store.write(lambda c: c.execute(text(fill(MANY))))
    await prompts.store.write(
        lambda c: c.execute(text(f"UPDATE prompts SET prompt_template = 'rare' WHERE seq={MANY}"))
    )
    asked: dict[str, Any] = {"filter": {"prompt_template": "rare"}}
    for order in ("", "name desc"):
        found, token, pages = [], "", 0
        while pages == 0 or token:
            steps, _ = await prompts.steps(**asked, order_by=order, page_token=token)
            assert steps < 60 * WINDOW_ROWS
            page, _ = await prompts.page(**asked, order_by=order, page_token=token)
            found, token, pages = [*found, *page.prompts], page.next_page_token, pages + 1
        assert [prompt.name for prompt in found] == [f"prompt {MANY}"]
        assert pages == MANY // WINDOW_ROWS + 1


@pytest.mark.slow
async def test_order_by_another_field_is_refused_for_many_rows(prompts: Listed) -> None:
    await prompts.store.write(lambda c: c.execute(text(fill(SORTED_ROWS))))
    page, _ = await prompts.page(order_by="prompt_template, name")
    assert page.prompts[0].prompt_template == "t0"
    await prompts.store.write(lambda c: c.execute(text(fill(SORTED_ROWS + 1))))
    for size in (10, 0):
        with pytest.raises(errors.FailedPrecondition, match="type, updated_at") as refused:
            await prompts.page(order_by="prompt_template", page_size=size)
        [violation] = refused.value.violations
        assert (violation.field, violation.rule) == ("order_by", rules.ORDER_ROWS.id)
    page, _ = await prompts.page(order_by="prompt_template desc", filter={"type": "a"})
    assert page.prompts[0].prompt_template == "t6"
