"""The workspace's API and the dispatch of jobs, against a real workbench."""

import json
import socket
import uuid
from pathlib import Path

import pytest

import cmlapi
from chassis import errors
from jobs import workspace as module
from jobs.dispatch import JobSpec, dispatch, withdraw
from jobs.publish import publish_address
from jobs.testing import PROJECT_ID, Workbench
from jobs.workspace import Workspace

TEMPLATE = "Finetuning_Base_Job"


@pytest.fixture
def workspace(in_workspace: Workbench) -> Workspace:
    return Workspace()


@pytest.fixture
def script(workbench: Workbench) -> str:
    return workbench.script("waits.py", "import time; time.sleep(600)")


def spec(**fields: object) -> JobSpec:
    given = {"template": TEMPLATE, "arguments": "--a 1", "cpu": 1, "memory": 1, "gpu": 0, **fields}
    return JobSpec(id=str(uuid.uuid4()), **given)  # type: ignore[arg-type]


async def test_a_job_gets_script_and_runtime_of_its_template(
    workspace: Workspace, workbench: Workbench
) -> None:
    wanted = spec(environment={"TOKEN": "t"}, cpu=2, memory=3)
    dispatched = await dispatch(workspace, wanted)
    job, template = workbench.job(wanted.id), workbench.job(TEMPLATE)
    assert job.id == dispatched.cml_job_id
    assert (job.script, job.runtime_identifier) == (template.script, template.runtime_identifier)
    assert (job.cpu, job.memory, job.nvidia_gpu, job.arguments) == (2, 3, 0, "--a 1")
    [run] = await workspace.runs(str(job.id))
    assert run.id == dispatched.run_id
    await withdraw(workspace, str(job.id), str(run.id), ended=False)
    assert await workspace.find_job(wanted.id) is None


async def test_a_script_of_the_users_own_wins(
    workspace: Workspace, workbench: Workbench, script: str
) -> None:
    wanted = spec(script=script)
    await dispatch(workspace, wanted)
    assert workbench.job(wanted.id).script == script


@pytest.mark.parametrize(("label", "sent"), [(None, None), (-1, None), (0, None), (3, "3")])
async def test_a_label_is_sent_where_one_is_meant(
    workspace: Workspace, workbench: Workbench, script: str, label: int | None, sent: str | None
) -> None:
    wanted = spec(script=script, gpu_label_id=label)
    await dispatch(workspace, wanted)
    assert (workbench.job(wanted.id).accelerator_label_id or None) == sent


async def test_again_it_adopts_what_is_there(
    workspace: Workspace, workbench: Workbench, script: str
) -> None:
    wanted = spec(script=script)
    first = await dispatch(workspace, wanted)
    assert await dispatch(workspace, wanted) == first
    assert len(await workspace.runs(first.cml_job_id)) == 1


async def test_a_job_without_a_run_is_adopted_and_gets_one(
    workspace: Workspace, workbench: Workbench, script: str
) -> None:
    wanted = spec(script=script)
    request = cmlapi.CreateJobRequest(name=wanted.id, script=script, cpu=1, memory=1)
    created = workbench.api.create_job(request, PROJECT_ID)
    dispatched = await dispatch(workspace, wanted)
    assert dispatched.cml_job_id == created.id
    [run] = await workspace.runs(str(created.id))
    assert run.id == dispatched.run_id


async def test_a_job_is_found_behind_pages_of_other_peoples(
    workspace: Workspace, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
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


async def test_the_oldest_of_equal_names_is_the_one(
    workspace: Workspace, workbench: Workbench
) -> None:
    request = cmlapi.CreateJobRequest(name="twice", script="x.py", cpu=1, memory=1)
    first = workbench.api.create_job(request, PROJECT_ID)
    workbench.api.create_job(request, PROJECT_ID)
    found = await workspace.find_job("twice")
    assert found is not None
    assert found.id == first.id


async def test_what_is_gone_can_be_withdrawn(workspace: Workspace, script: str) -> None:
    dispatched = await dispatch(workspace, spec(script=script))
    await workspace.delete_job(dispatched.cml_job_id)
    await withdraw(workspace, dispatched.cml_job_id, dispatched.run_id, ended=False)


async def test_no_template_is_told_by_name(workspace: Workspace) -> None:
    with pytest.raises(errors.FailedPrecondition, match="'No_Such_Job'") as refused:
        await dispatch(workspace, spec(template="No_Such_Job"))
    assert refused.value.code_reason == "TEMPLATE_JOB_MISSING"


async def test_the_workspaces_no_is_told_in_its_words(workspace: Workspace) -> None:
    with pytest.raises(errors.FailedPrecondition, match="cpu: must be more than 0") as refused:
        await dispatch(workspace, spec(cpu=0))
    assert refused.value.metadata == {"operation": "create_job"}


async def test_a_run_that_is_unknown(workspace: Workspace) -> None:
    with pytest.raises(errors.NotFound):
        await workspace.run("no-job", "no-run")


async def test_a_wrong_key(in_workspace: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDSW_APIV2_KEY", "wrong-key-1234")
    with pytest.raises(errors.Unauthenticated) as refused:
        await Workspace().template(TEMPLATE)
    assert "wrong-key" not in refused.value.message


async def test_a_workspace_that_is_away(
    in_workspace: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    monkeypatch.setenv("CDSW_API_URL", f"http://127.0.0.1:{port}/api/v2")
    with pytest.raises(errors.Unavailable, match="did not answer list_jobs"):
        await Workspace().template(TEMPLATE)


async def test_a_workspace_that_answers_nonsense(
    in_workspace: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("CDSW_API_URL", f"http://127.0.0.1:{port}/api/v2")
        with pytest.raises(errors.Unavailable):
            await Workspace().project()


@pytest.mark.parametrize("missing", ["CDSW_API_URL", "CDSW_PROJECT_ID", "CDSW_APIV2_KEY"])
async def test_what_no_workspace_can_be_called_without(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in ("CDSW_API_URL", "CDSW_PROJECT_ID", "CDSW_APIV2_KEY"):
        monkeypatch.setenv(name, "set")
    monkeypatch.delenv("FTS_WORKSPACE_KEY_FILE", raising=False)
    monkeypatch.delenv(missing)
    with pytest.raises(errors.FailedPrecondition, match=f": {missing} must be set"):
        await Workspace().project()


async def test_the_key_may_lie_in_a_file(
    in_workspace: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
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


async def test_the_address_is_published_and_nothing_else_changed(
    in_workspace: Workbench, monkeypatch: pytest.MonkeyPatch
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


async def test_outside_of_a_workspace_nothing_is_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CDSW_PROJECT_ID", raising=False)
    monkeypatch.delenv("CDSW_API_URL", raising=False)
    await publish_address("[::]:50051")
