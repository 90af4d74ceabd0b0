"""What the processes and the command import before anybody asks them for anything."""

import subprocess
import sys
from pathlib import Path

import pytest

from chassis.testing.services import ServiceProcess
from ft.domains import DOMAINS

pytestmark = pytest.mark.starts_processes

NEVER = {
    *("alembic", "datasets", "httpx", "huggingface_hub", "jsonschema", "matplotlib", "mlflow"),
    *("numpy", "pandas", "psycopg", "pyarrow", "pydantic_settings", "rich", "tokenizers", "torch"),
    *("transformers", "typer"),
}
"""Libraries of some requests, of the command and of jobs."""
WITHOUT_STORE = NEVER | {"fastapi", "pydantic", "sqlalchemy", "sqlite3", "yaml"}
OF_DOMAINS = NEVER | {"fastapi", "pydantic"}
UNWANTED = {
    **dict.fromkeys(DOMAINS, OF_DOMAINS),
    **dict.fromkeys(("facade", "inspection"), WITHOUT_STORE),
}
SERVE = """
import runpy, signal, sys
try:
    runpy.run_module("services.{name}", run_name="__main__")
finally:
    open({file!r}, "w").write(" ".join(sys.modules))
"""


@pytest.mark.parametrize("name", UNWANTED)
async def test_service_has_imported_what_it_needs_when_it_serves(tmp_path: Path, name: str) -> None:
    file = tmp_path / "modules"
    code, listen = SERVE.format(name=name, file=str(file)), f"unix:{tmp_path}/run/{name}.sock"
    with ServiceProcess(tmp_path, name, "-c", code, FTS_LISTEN=listen) as process:
        await process.serving()
        process.terminate()
        assert process.wait() == 0
    assert sorted(UNWANTED[name] & set(file.read_text().split())) == []


def test_workbench_imports_no_library_of_jobs() -> None:
    assert sorted(NEVER & imported_by("import services.workbench.__main__")) == []


@pytest.mark.parametrize("arguments", [["--help"], ["datasets", "list", "--server", "127.0.0.1:1"]])
def test_command_imports_what_it_needs(arguments: list[str]) -> None:
    run = f"sys.argv = ['fts', *{arguments!r}]\nfrom ft.cli import main\nmain()"
    unwanted = (NEVER - {"rich", "typer"}) | {"psutil", "sqlalchemy", "structlog", "supervisor"}
    assert sorted(unwanted & imported_by(run)) == []


def imported_by(code: str) -> set[str]:
    """The modules that a new interpreter has when the code has ended."""
    listed = f"import sys\ntry:\n    exec({code!r})\nfinally:\n    print('\\n', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True)
    return set(done.stdout.splitlines()[-1].split())
