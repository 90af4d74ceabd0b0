"""The workspace's API against a real workbench."""

import asyncio
import json
import socket
from pathlib import Path

import pytest

import cmlapi
from chassis.rpc import errors
from jobs.testing import PROJECT_ID, WorkbenchProcess
from jobs.workspace import client as module
from jobs.workspace.client import Workspace
from jobs.workspace.publish import publish_address

TEMPLATE = "Finetuning_Base_Job"


@pytest.fixture
def workspace(in_workspace: WorkbenchProcess) -> Workspace:
    return Workspace()


async def test_job_is_found_behind_pages_of_other_jobs(
    workspace: Workspace, workbench: WorkbenchProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(7):
        # Equal names, since the workbench's filter is exact and pages must still be turned.
        request = cmlapi.CreateJobRequest(name="crowd", script="x.py", cpu=1, memory=1)
        workbench.api.create_job(request, PROJECT_ID)
    monkeypatch.setattr(module, "PAGE_SIZE", 2)
    # A workspace's filter also finds names that only contain the value: as if it found all.
    monkeypatch.setattr(module, "_filter", lambda **_: "{}")
    request = cmlapi.CreateJobRequest(name="needle", script="x.py", cpu=1, memory=1)
    created = workbench.api.create_job(request, PROJECT_ID)
    found = await workspace.find_job("needle")
    assert found is not None
    assert found.id == created.id
    assert await workspace.find_job("needl") is None


async def test_job_of_equal_names_is_the_oldest(
    workspace: Workspace, workbench: WorkbenchProcess
) -> None:
    request = cmlapi.CreateJobRequest(name="twice", script="x.py", cpu=1, memory=1)
    first = workbench.api.create_job(request, PROJECT_ID)
    workbench.api.create_job(request, PROJECT_ID)
    found = await workspace.find_job("twice")
    assert found is not None
    assert found.id == first.id


async def test_unknown_run_is_not_found(workspace: Workspace) -> None:
    with pytest.raises(errors.NotFound):
        await workspace.run("no-job", "no-run")


async def test_wrong_key_is_reported(
    in_workspace: WorkbenchProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDSW_APIV2_KEY", "wrong-key-1234")
    with pytest.raises(errors.Unauthenticated) as refused:
        await Workspace().template(TEMPLATE)
    assert "wrong-key" not in refused.value.message


async def test_workspace_that_is_down_is_reported(
    in_workspace: WorkbenchProcess, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDSW_API_URL", f"http://127.0.0.1:{closed_port}/api/v2")
    with pytest.raises(errors.Unavailable, match="did not answer list_jobs"):
        await Workspace().template(TEMPLATE)


async def test_invalid_answer_of_the_workspace_is_reported(
    in_workspace: WorkbenchProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("CDSW_API_URL", f"http://127.0.0.1:{port}/api/v2")
        with pytest.raises(errors.Unavailable):
            async with asyncio.timeout(60):  # with its repetitions
                await Workspace(0.2).project()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\ncont", b"HTTP/1.1 200 OK\r\n\r\n{"])
async def test_truncated_answer_is_reported(
    in_workspace: WorkbenchProcess, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    async def cut(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(cut, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("CDSW_API_URL", f"http://127.0.0.1:{port}/api/v2")
        with pytest.raises(errors.Unavailable, match="did not answer create_job"):
            await Workspace(5).create_job(name="n", script="s")


@pytest.mark.parametrize("missing", ["CDSW_API_URL", "CDSW_PROJECT_ID", "CDSW_APIV2_KEY"])
async def test_incomplete_settings_are_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name in ("CDSW_API_URL", "CDSW_PROJECT_ID", "CDSW_APIV2_KEY"):
        monkeypatch.setenv(name, "set")
    monkeypatch.delenv("FTS_WORKSPACE_KEY_FILE", raising=False)
    monkeypatch.delenv(missing)
    with pytest.raises(errors.FailedPrecondition, match=f": {missing} must be set"):
        await Workspace().project()


async def test_key_may_be_in_a_file(
    in_workspace: WorkbenchProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A variable that is set to nothing before, so that what the code sets is undone after.
    monkeypatch.setenv("CDSW_APIV2_KEY", "")
    file = tmp_path / "key"
    monkeypatch.setenv("FTS_WORKSPACE_KEY_FILE", str(file))
    workspace = Workspace()
    with pytest.raises(errors.Unavailable, match="key file cannot be read"):
        await workspace.project()
    file.write_text(in_workspace.environment["CDSW_APIV2_KEY"])
    assert (await workspace.project()).id == PROJECT_ID


async def test_address_is_published_and_nothing_else_changed(
    in_workspace: WorkbenchProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = in_workspace.api
    project = api.get_project(PROJECT_ID)
    project.environment = json.dumps({"THEIRS": "kept", "FINE_TUNING_SERVICE_PORT": "1"})
    api.update_project(project, PROJECT_ID)
    before = api.get_project(PROJECT_ID).to_dict()
    monkeypatch.setenv("CDSW_IP_ADDRESS", "10.1.2.3")
    await publish_address("[::]:50051")
    after = api.get_project(PROJECT_ID).to_dict()
    assert json.loads(after.pop("environment")) == {
        "THEIRS": "kept",
        "FINE_TUNING_SERVICE_IP": "10.1.2.3",
        "FINE_TUNING_SERVICE_PORT": "50051",
    }
    before.pop("environment")
    unchanged = {key for key in before if before[key] == after[key]}
    assert set(before) - unchanged <= {"updated_at"}


async def test_address_is_not_published_outside_of_a_workspace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CDSW_PROJECT_ID", raising=False)
    monkeypatch.delenv("CDSW_API_URL", raising=False)
    await publish_address("[::]:50051")
