"""Jobs on their way into the workspace, a real workbench."""

import uuid
from typing import Any

import pytest

import cmlapi
from chassis.rpc import errors
from chassis.store.records import now
from ft.enums import JobState
from jobs.execution.dispatch import JobDispatcher, JobSpec
from jobs.store.records import JobRecords
from jobs.testing import PROJECT_ID, WorkbenchProcess
from jobs.workspace.client import Workspace

TEMPLATE = "Finetuning_Base_Job"


class Dispatches:
    """Records jobs and carries them."""

    def __init__(self, records: JobRecords[Any], workbench: WorkbenchProcess) -> None:
        self.records = records
        self.workbench = workbench
        self.workspace = Workspace()
        self.dispatcher = JobDispatcher(records, self.workspace, {"TOKEN": "t"})
        self.script = workbench.script("waits.py", "import time; time.sleep(600)")

    async def record(self, **fields: Any) -> str:
        """A recorded job; its id."""
        given = {
            "template": TEMPLATE,
            "arguments": "--a 1",
            "cpu": 1,
            "memory": 1,
            "gpu": 0,
            "script": self.script,
            **fields,
        }
        job = self.records.kind(id=str(uuid.uuid4()), spec=JobSpec(**given).stored())
        await self.records.begin([job])
        return str(job.id)

    async def carried(self, **fields: Any) -> Any:
        """A job that the workspace has accepted."""
        id = await self.record(**fields)
        assert await self.dispatcher.carry(id)
        return self.records.one(id=id)


@pytest.fixture
async def dispatches(records: JobRecords[Any], in_workspace: WorkbenchProcess) -> Dispatches:
    return Dispatches(records, in_workspace)


async def test_job_gets_script_and_runtime_of_its_template(dispatches: Dispatches) -> None:
    record = await dispatches.carried(script="", cpu=2, memory=3)
    assert (record.state, record.sent_at) == (JobState.SCHEDULED, None)
    job = dispatches.workbench.job(record.id)
    template = dispatches.workbench.job(TEMPLATE)
    assert job.id == record.cml_job_id
    assert (job.script, job.runtime_identifier) == (template.script, template.runtime_identifier)
    assert (job.cpu, job.memory, job.nvidia_gpu, job.arguments) == (2, 3, 0, "--a 1")
    [run] = await dispatches.workspace.runs(record.cml_job_id)
    assert run.id == record.run_id
    await dispatches.dispatcher.withdraw(record.cml_job_id)
    assert await dispatches.workspace.find_job(record.id) is None


async def test_secrets_are_in_the_environment_of_the_job_only(dispatches: Dispatches) -> None:
    dispatches.dispatcher = JobDispatcher(
        dispatches.records, dispatches.workspace, {"TOKEN": "hf_planted"}
    )
    record = await dispatches.carried()
    job = dispatches.workbench.job(record.id)
    assert "hf_planted" in str(job.environment)
    assert "hf_planted" not in str(record) + str(job.arguments)


async def test_users_script_wins(dispatches: Dispatches) -> None:
    record = await dispatches.carried()
    assert dispatches.workbench.job(record.id).script == dispatches.script


@pytest.mark.parametrize(("label", "sent"), [(None, "-1"), (-1, "-1"), (0, "-1"), (1, "1")])
async def test_label_is_sent_where_one_is_requested(
    dispatches: Dispatches, label: int | None, sent: str
) -> None:
    record = await dispatches.carried(gpu_label_id=label)
    assert dispatches.workbench.job(record.id).accelerator_label_id == sent


async def test_job_without_a_run_is_adopted_and_gets_one(dispatches: Dispatches) -> None:
    id = await dispatches.record()
    request = cmlapi.CreateJobRequest(name=id, script=dispatches.script, cpu=1, memory=1)
    created = dispatches.workbench.api.create_job(request, PROJECT_ID)
    await dispatches.records.mark_sent(id)
    dispatches.dispatcher = JobDispatcher(
        dispatches.records, dispatches.workspace, {}, late=now() - now()
    )
    assert await dispatches.dispatcher.carry(id)
    record = dispatches.records.one(id=id)
    assert record.cml_job_id == created.id
    [run] = await dispatches.workspace.runs(str(created.id))
    assert run.id == record.run_id


async def test_dispatch_waits_for_requests_still_under_way(dispatches: Dispatches) -> None:
    id = await dispatches.record()
    await dispatches.records.mark_sent(id)
    assert not await dispatches.dispatcher.carry(id)
    assert await dispatches.workspace.find_job(id) is None


async def test_repeated_dispatch_changes_nothing(dispatches: Dispatches) -> None:
    record = await dispatches.carried()
    assert await dispatches.dispatcher.carry(record.id)
    assert dispatches.records.one(id=record.id) == record
    assert len(await dispatches.workspace.runs(record.cml_job_id)) == 1


async def test_job_that_is_cancelled_while_it_is_created_gets_no_run(
    dispatches: Dispatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await dispatches.record()
    create = dispatches.workspace.create_job

    async def create_and_cancel(**fields: Any) -> Any:
        created = await create(**fields)
        await dispatches.records.move(id, JobState.STOPPING)
        return created

    monkeypatch.setattr(dispatches.workspace, "create_job", create_and_cancel)
    await dispatches.dispatcher.carry(id)
    record = dispatches.records.one(id=id)
    assert record.cml_job_id == dispatches.workbench.job(id).id
    assert (record.state, record.sent_at, record.run_id) == (JobState.STOPPING, None, None)
    assert await dispatches.workspace.runs(record.cml_job_id) == []


async def test_missing_job_can_be_withdrawn(dispatches: Dispatches) -> None:
    record = await dispatches.carried()
    await dispatches.workspace.delete_job(record.cml_job_id)
    await dispatches.dispatcher.withdraw(record.cml_job_id)


async def test_missing_template_is_named(dispatches: Dispatches) -> None:
    id = await dispatches.record(template="No_Such_Job")
    with pytest.raises(errors.FailedPrecondition, match="'No_Such_Job'") as refused:
        await dispatches.dispatcher.carry(id)
    assert refused.value.code_reason == "TEMPLATE_JOB_MISSING"
    assert dispatches.records.one(id=id).state == JobState.FAILED


async def test_refusal_of_the_workspace_is_reported_in_its_words(dispatches: Dispatches) -> None:
    id = await dispatches.record(cpu=0)
    with pytest.raises(errors.FailedPrecondition, match="cpu: must be more than 0") as refused:
        await dispatches.dispatcher.carry(id)
    assert refused.value.metadata == {"operation": "create_job"}
    record = dispatches.records.one(id=id)
    assert (record.state, record.failure_reason) == (JobState.FAILED, refused.value.message)
    assert record.sent_at is None
