"""A workspace for the tests of the evaluation service."""

from collections.abc import Iterator

import pytest

from jobs.testing import Workbench


@pytest.fixture
def workspace(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    for name, value in workbench.environment.items():
        monkeypatch.setenv(name, value)
    yield workbench
    workbench.clear()
