"""Lists of many jobs read what they answer with, by index."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from services.workbench.api.lists import ListQuery
from services.workbench.operations.jobs import _RUNS, _jobs_page
from services.workbench.store.database import Database
from services.workbench.store.tables import LISTED_BY, JobRow, JobRunRow, ProjectRow
from services.workbench.tests.rows import insert_rows, run_row

pytestmark = pytest.mark.slow

JOBS = 10_000
MOST_STEPS = 2_000
"""Steps of SQLite's virtual machine for a page of ten rows. A look at every row takes 70,000."""


def fill(session: Session) -> None:
    session.add(ProjectRow(id="local", name="local"))
    session.flush()
    jobs = [
        JobRow(id=f"j{n}", project_id="local", name=f"n{n}", script=f"s{n}.py", paused=n == 9_000)
        for n in range(JOBS)
    ]
    insert_rows(session, jobs)
    statuses = ("ENGINE_FAILED" if n == 9_000 else "ENGINE_SUCCEEDED" for n in range(JOBS))
    runs = (
        run_row(id=f"r{n}", job_id="j1", status=status, cpu=1.0)
        for n, status in enumerate(statuses)
    )
    insert_rows(session, runs)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    found = Database("workbench", f"sqlite:///{tmp_path}/workbench.db")
    await found.open()
    await found.write(fill)
    yield found
    await found.close()


class Cost:
    """Steps of SQLite, and the plans of its queries, of what a database reads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.steps = 0
        self.plans: set[str] = set()

    def of(self, work: Callable[[Session], Any]) -> Any:
        """What the work reads. Its cost is that of this work alone."""
        self.steps, self.plans = 0, set()
        statements: list[tuple[str, Any]] = []

        def counted() -> int:
            self.steps += 1
            return 0

        def measured(session: Session) -> Any:
            connection = session.connection()
            driver: Any = connection.connection.driver_connection

            def noted(*arguments: Any) -> None:
                statements.append((arguments[2], arguments[3]))

            event.listen(connection, "before_cursor_execute", noted)
            driver.set_progress_handler(counted, 1)
            try:
                found = work(session)
            finally:
                driver.set_progress_handler(None, 0)
                event.remove(connection, "before_cursor_execute", noted)
            for statement, parameters in statements:
                explained = connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", parameters
                )
                self.plans |= {row[3] for row in explained}
            return found

        return self._database.read(measured)


async def test_page_of_jobs_reads_little_whatever_it_is_filtered_and_sorted_by(
    database: Database,
) -> None:
    cost = Cost(database)
    filters = {"name": "n9000", "script": "s9000.py", "type": "none", "kernel": "none"}
    queries = [
        *(ListQuery(search_filter=json.dumps({key: value})) for key, value in filters.items()),
        ListQuery(search_filter=json.dumps({"paused": True})),
        *(ListQuery(sort=f"{sign}{key}") for key in LISTED_BY for sign in ("+", "-")),
        ListQuery(),
    ]
    for query in queries:
        cost.of(lambda session, query=query: _jobs_page(session, query, "local"))
        # Rows of equal values come in order of arrival, for which all of them are compared.
        assert cost.steps < MOST_STEPS or query.sort.startswith("-"), query
        assert not [plan for plan in cost.plans if plan.startswith("SCAN")], (query, cost.plans)
    found = cost.of(
        lambda s: _jobs_page(s, ListQuery(search_filter=json.dumps({"name": "n9000"})), "local")
    )
    assert [job.id for job in found.jobs] == ["j9000"]
    assert "SEARCH jobs USING INDEX jobs_project_id_name (project_id=? AND name=?)" in cost.plans


@pytest.mark.parametrize("sort", ["-status", "status", "created_at", "-created_at", ""])
async def test_pages_by_index_have_every_row_once(database: Database, sort: str) -> None:
    token, found = "", []
    while True:
        query = ListQuery(sort=sort, page_size=1000, page_token=token)
        rows, token = database.read(lambda s, q=query: _RUNS.page(s, q, JobRunRow.job_id == "j1"))
        found += [(row.status, row.created_at, row.seq) for row in rows]
        if not token:
            break
    key = {"status": 0, "created_at": 1}.get(sort.lstrip("-"), 2)
    by_seq = sorted(found, key=lambda row: row[2])
    assert len(set(found)) == JOBS
    assert found == sorted(by_seq, key=lambda row: row[key], reverse=sort.startswith("-"))


async def test_page_of_runs_by_state_reads_little(database: Database) -> None:
    cost = Cost(database)
    for query in (
        ListQuery(search_filter=json.dumps({"status": "ENGINE_FAILED"})),
        ListQuery(sort="created_at"),
        ListQuery(),
    ):
        cost.of(lambda s, query=query: _RUNS.page(s, query, JobRunRow.job_id == "j1"))
        assert cost.steps < MOST_STEPS, query
