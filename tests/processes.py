"""Keeps tests that start processes, and slow ones, apart from the others.

A test that starts a process carries the marker `starts_processes`. It gets the marker by itself if
one of its fixtures is decorated with `starts_processes`, or if it is in one of FOLDERS. Without it,
starting a process fails the test.
"""

import sys
from collections.abc import Callable, Generator
from multiprocessing import util
from typing import Any, TypeVar

import pytest

MARKER = "starts_processes"
SLOW = "slow"
FOLDERS = (
    "shared/trainer/tests/export/",
    "shared/trainer/tests/tracking/",
    "tests/e2e/",
    "tests/faults/",
)
"""Folders whose tests are about real processes, or log to MLflow, which asks git for the commit."""
EVENTS = {
    "multiprocessing.spawn",  # raised below
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.spawn",
    "subprocess.Popen",
}
"""Audit events of Python that tell of a new process."""

Fixture = TypeVar("Fixture", bound=Callable[..., Any])


def starts_processes(fixture: Fixture) -> Fixture:
    """Declares that a fixture starts processes. Stands below `@pytest.fixture`."""
    setattr(fixture, MARKER, True)
    return fixture


def slow(fixture: Fixture) -> Fixture:
    """Declares that tests with a fixture take seconds. Stands below `@pytest.fixture`."""
    setattr(fixture, SLOW, True)
    return fixture


class Guard:
    """Refuses to start processes while a test without the marker runs."""

    active = False
    marked_test_ran = False
    refused = ""
    """The start that was refused last, for a test that goes on as if nothing had happened."""

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS and self.active:
            self.refused = (
                f"This test starts a process ({event}: {arguments[:1]}). Mark it with "
                f"@pytest.mark.{MARKER}, or its fixture with @{MARKER} of tests/processes.py."
            )
            pytest.fail(self.refused)

    def watch(self, active: bool) -> Generator[None, Any, Any]:
        """Guards one phase of a test."""
        self.active, self.refused = active, ""
        try:
            result = yield
        finally:
            self.active = False
        if self.refused:
            pytest.fail(self.refused)
        return result


guard = Guard()
sys.addaudithook(guard.audit)

_spawn = util.spawnv_passfds


def _audited_spawn(path: Any, arguments: Any, descriptors: Any) -> Any:
    # The one way to a process that Python does not audit.
    sys.audit("multiprocessing.spawn", path, arguments)
    return _spawn(path, arguments, descriptors)


util.spawnv_passfds = _audited_spawn


def is_marked(item: pytest.Item) -> bool:
    return item.get_closest_marker(MARKER) is not None


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = item._fixtureinfo.name2fixturedefs.values()  # type: ignore[attr-defined]
        functions = [definitions[-1].func for definitions in fixtures]
        for marker in (MARKER, SLOW):
            if any(getattr(function, marker, False) for function in functions):
                item.add_marker(marker)
        if item.nodeid.startswith(FOLDERS):
            item.add_marker(MARKER)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    guard.marked_test_ran |= is_marked(item)
    return (yield from guard.watch(not is_marked(item)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    return (yield from guard.watch(not is_marked(item)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, Any, Any]:
    # What a marked test has shared with an unmarked one may end after the latter.
    return (yield from guard.watch(not guard.marked_test_ran))
