"""A workspace for the tests of the evaluation service."""

from collections.abc import Iterator

import pytest

from jobs.testing import WorkbenchProcess
from tests.processes import starts_processes


@pytest.fixture(scope="module")
@starts_processes
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkbenchProcess]:
    with WorkbenchProcess(tmp_path_factory.mktemp("workbench")) as workbench:
        (workbench.project / "base").mkdir()
        config = '{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}'
        (workbench.project / "base" / "config.json").write_text(config)
        yield workbench


@pytest.fixture
def workspace(
    workbench: WorkbenchProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WorkbenchProcess]:
    for name, value in workbench.environment.items():
        monkeypatch.setenv(name, value)
    yield workbench
    workbench.clear()
