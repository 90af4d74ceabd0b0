"""Each service, installed by itself into an empty environment, starts and answers its health."""

import sys
import urllib.request
from pathlib import Path

import pytest

from ft.health import check_address
from tests.processes import starts_processes
from tests.support import REPOSITORY, ServiceProcess, environment, run, until

pytestmark = pytest.mark.starts_processes

GRPC_SERVICES = (
    "adapters",
    "configs",
    "datasets",
    "evaluation",
    "facade",
    "fine_tuning",
    "inspection",
    "models",
    "prompts",
)


def pip(*arguments: str) -> None:
    done = run(sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
@starts_processes
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own distributions, built as they would be shipped."""
    folder = tmp_path_factory.mktemp("wheels")
    sources = [str(p.parent) for p in REPOSITORY.glob("s*/*/pyproject.toml")]
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), *sources)
    return folder


def installed(service: str, wheels: Path, folder: Path) -> str:
    """An environment with that service's distribution and what it asks for; its interpreter."""
    done = run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    assert done.returncode == 0, done.stderr
    python = str(folder / "bin/python")
    pins = str(REPOSITORY / "requirements/services.txt")
    distribution = f"fts-{service.replace('_', '-')}"
    pip("--python", python, "install", "--no-compile", "-f", str(wheels), "-c", pins, distribution)
    return python


@pytest.mark.parametrize("service", GRPC_SERVICES)
def test_service_starts_alone(service: str, wheels: Path, tmp_path: Path) -> None:
    python = installed(service, wheels, tmp_path / "env")
    listed = run(python, "-I", "-c", "import services; print(list(services.__path__))")
    assert str(REPOSITORY) not in listed.stdout, "the checkout must not be importable"
    # The facade's own default is a TCP port that may be taken.
    process = ServiceProcess(
        service,
        tmp_path / "h",
        python,
        FTS_LISTEN=f"unix:{tmp_path}/h/run/{service}.sock",
        PYTHONPATH="",
    )
    try:
        until("healthy", lambda: check_address(process.socket) == "SERVING")
        assert process.stop() == 0
        assert "Traceback" not in process.log.read_text()
    finally:
        process.kill()


def test_workbench_starts_alone(wheels: Path, tmp_path: Path) -> None:
    python = installed("workbench", wheels, tmp_path / "env")
    home = tmp_path / "h"
    process = ServiceProcess("workbench", home, python, PYTHONPATH="")
    try:
        url = until("address", lambda: _read(home / "workbench.url"))
        with urllib.request.urlopen(f"{url}/healthz", timeout=30) as answer:
            assert answer.status == 200
        assert process.stop() == 0
        assert "Traceback" not in process.log.read_text()
    finally:
        process.kill()


def test_facade_alone_says_what_is_missing(tmp_path: Path) -> None:
    listen = f"unix:{tmp_path}/run/facade.sock"
    process = ServiceProcess("facade", tmp_path, FTS_LISTEN=listen)
    try:
        until("process healthy", lambda: check_address(listen) == "SERVING")
        assert check_address(listen, "fine_tuning_studio.FineTuningStudio") == "NOT_SERVING"
        assert check_address(listen, "models") == "NOT_SERVING"
    finally:
        process.kill()


def test_second_process_at_the_same_address_is_refused(tmp_path: Path) -> None:
    first = ServiceProcess("prompts", tmp_path)
    try:
        until("healthy", lambda: check_address(first.socket) == "SERVING")
        second = run(sys.executable, "-m", "services.prompts", env=environment(tmp_path))
        assert second.returncode == 1
        assert "another process already serves" in second.stderr
        assert check_address(first.socket) == "SERVING"
    finally:
        first.kill()


def _read(path: Path) -> str | None:
    return path.read_text().strip() or None if path.exists() else None
