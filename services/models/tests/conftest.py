"""A studio whose exports are jobs that really run, in a real workbench."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis import domains
from chassis.rpc import errors
from chassis.testing.services import put_rows, services, settings_in
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    CancelExportJobRequest,
    ExportJobMetadata,
    GetExportJobRequest,
    ListExportJobsRequest,
    RegisterExportRequest,
)
from ft.proto.fine_tuning_studio_pb2 import (
    AdapterMetadata,
    ExportModelRequest,
    GetAdapterRequest,
    ModelMetadata,
)
from jobs.testing import PROJECT_ID, WorkbenchProcess, until
from tests.processes import starts_processes

TEMPLATE = "Model_Export_Base_Job"
# Shows its token to the test, which registers in its place, and ends when it may.
SCRIPT = """
import json, os, pathlib, time
words = os.environ["JOB_ARGUMENTS"].split(" ")
flags = dict(zip(words[::2], words[1::2]))
folder = pathlib.Path(flags["--result_dir"])
(folder / "model").mkdir(parents=True, exist_ok=True)
(folder / "model/config.json").write_text('{"model_type": "llama"}')
seen = {"flags": flags, "token": os.environ["FTS_JOB_TOKEN"]}
(folder / "seen.part").write_text(json.dumps(seen))
(folder / "seen.part").rename(folder / "seen.json")
while not (folder / "end").exists():
    if (folder / "crash").exists():
        (folder / "crash").unlink()
        os._exit(3)
    time.sleep(0.05)
"""
MODELS = [{"id": "m", "type": "project", "name": "base", "location": "base"}]
ADAPTERS = [
    {"id": "a", "type": "project", "name": "a", "model_id": "m", "location": "adapters/a"},
    {"id": "a-other", "type": "project", "name": "b", "model_id": "other"},
    {"id": "a-registry", "type": "model_registry", "name": "c", "model_id": "m"},
]


class Studio:
    """Calls to the services, and what the export job is."""

    def __init__(self, folder: Path, workbench: WorkbenchProcess) -> None:
        settings = settings_in(folder, "test")
        self.home = folder
        self.workbench = workbench
        self.models = domains.models(settings)
        self.adapters = domains.adapters(settings)

    async def close(self) -> None:
        await self.models.close()
        await self.adapters.close()

    async def start(self, **fields: Any) -> ExportJobMetadata:
        """Starts an export; the job as it is recorded."""
        sent = {
            "type": "model_registry",
            "base_model_id": "m",
            "adapter_id": "a",
            "model_name": "tuned",
            **fields,
        }
        response = await self.models(lambda s: s.ExportModel, ExportModelRequest(**sent))
        assert (response.base_model_id, response.adapter_id) == ("m", "a")
        return await self.get(response.export_job_id)

    async def get(self, id: str) -> ExportJobMetadata:
        return (await self.models(lambda s: s.GetExportJob, GetExportJobRequest(id=id))).export_job

    async def listed(self) -> list[ExportJobMetadata]:
        response = await self.models(lambda s: s.ListExportJobs, ListExportJobsRequest())
        return list(response.export_jobs)

    async def seen(self, job: ExportJobMetadata) -> dict[str, Any]:
        """What the job's run was given."""
        file = self.workbench.project / job.location / "seen.json"
        found: dict[str, Any] = await until(
            "it runs", lambda: file.exists() and json.loads(file.read_text())
        )
        return found

    async def register(self, job: ExportJobMetadata, **fields: str) -> ModelMetadata:
        """What the job calls when it has made and checked its export."""
        sent = {"job_id": job.id, "token": (await self.seen(job))["token"], **fields}
        response = await self.models(lambda s: s.RegisterExport, RegisterExportRequest(**sent))
        return response.model

    async def ends(self, job: ExportJobMetadata) -> ExportJobMetadata:
        """Lets the job come to its end."""
        (self.workbench.project / job.location / "end").touch()
        return await self.until(job, lambda now: now.status.state == "SUCCEEDED")

    async def until(
        self, job: ExportJobMetadata, condition: Callable[[ExportJobMetadata], bool]
    ) -> ExportJobMetadata:
        """The job once the condition holds."""
        async with asyncio.timeout(120):
            # What is waited for happens in another process.
            while not condition(now := await self.get(job.id)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return now

    async def crash(self, job: ExportJobMetadata) -> None:
        """Has the present attempt at the job fail."""
        await self.seen(job)
        (self.workbench.project / job.location / "crash").touch()

    async def cancel(self, job: ExportJobMetadata) -> ExportJobMetadata:
        """Has the job ended."""
        request = CancelExportJobRequest(id=job.id, reason="no longer wanted")
        return (await self.models(lambda s: s.CancelExportJob, request)).export_job

    async def adapter(self) -> AdapterMetadata:
        return (await self.adapters(lambda s: s.GetAdapter, GetAdapterRequest(id="a"))).adapter

    async def refusal(self, **fields: Any) -> errors.Refusal:
        with pytest.raises(errors.Refusal) as refused:
            await self.start(**fields)
        assert await self.listed() == []
        assert self.workbench.jobs() == []
        return refused.value


@pytest.fixture(scope="module")
@starts_processes
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkbenchProcess]:
    with WorkbenchProcess(tmp_path_factory.mktemp("workbench")) as workbench:
        template = workbench.job(TEMPLATE)
        template.script = workbench.script("export.py", SCRIPT)
        workbench.api.update_job(template, PROJECT_ID, str(template.id))
        yield workbench


@pytest.fixture
async def studio(
    workbench: WorkbenchProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Studio]:
    for name, value in workbench.environment.items():
        monkeypatch.setenv(name, value)
    async with services(tmp_path, "models", "adapters"):
        studio = Studio(tmp_path, workbench)
        await put_rows(tmp_path, "models", *MODELS)
        await put_rows(tmp_path, "adapters", *ADAPTERS)
        yield studio
        await studio.close()
    workbench.clear()
    for model in workbench.api.list_registered_models().models or []:
        workbench.api.delete_registered_model(str(model.model_id))


MADE = {"mlflow_experiment_id": "7", "mlflow_run_id": "run-1", "mlflow_model_path": "model"}
