"""A real workbench, and records of jobs in a database of the test's own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.store.records import JobRecords
from jobs.testing import WorkbenchProcess
from jobs.tests.scripted import Jobs
from jobs.tests.tables import SomeJob, records_in
from tests.processes import starts_processes


@pytest.fixture(scope="session")
@starts_processes
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkbenchProcess]:
    """A workbench that all tests of this package share."""
    with WorkbenchProcess(tmp_path_factory.mktemp("workbench")) as workbench:
        yield workbench


@pytest.fixture
def in_workspace(
    workbench: WorkbenchProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WorkbenchProcess]:
    """The workbench, which is the workspace of what the test makes."""
    for name, value in workbench.environment.items():
        monkeypatch.setenv(name, value)
    yield workbench
    workbench.clear()


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[JobRecords[SomeJob]]:
    """An open table of jobs."""
    async with records_in(f"sqlite:///{tmp_path}/some.db", tmp_path) as records:
        yield records


@pytest.fixture
async def jobs(records: JobRecords[Any], in_workspace: WorkbenchProcess) -> Jobs:
    return Jobs(records, in_workspace)


@pytest.fixture
async def watched(jobs: Jobs) -> AsyncIterator[Jobs]:
    async with jobs.watched(jobs.reconciler):
        yield jobs
