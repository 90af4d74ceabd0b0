"""A studio for the tests of the fine-tuning service."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chassis.testing.services import services
from jobs.testing import WorkbenchProcess
from services.fine_tuning.tests.studio import PEERS, Studio
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


@pytest.fixture
async def studio(tmp_path: Path, workspace: WorkbenchProcess) -> AsyncIterator[Studio]:
    async with services(tmp_path, *PEERS, "fine_tuning"):
        studio = Studio(tmp_path, workspace)
        await studio.fill()
        yield studio
        await studio.close()
