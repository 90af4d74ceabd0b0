"""The evaluation service with its real peers and jobs that really run, in a real workbench."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chassis import domains
from chassis.config import Settings
from chassis.domains import DOMAIN_SERVICES
from chassis.rpc import errors
from chassis.rpc.peers import Peer
from chassis.testing.services import put_rows, settings_in
from ft.proto import domains_pb2_grpc as stubs
from ft.proto.fine_tuning_studio_pb2 import (
    EvaluationJobMetadata,
    EvaluationJobModelCombination,
    GetEvaluationJobRequest,
    ListEvaluationJobsRequest,
    RemoveEvaluationJobRequest,
    StartEvaluationJobRequest,
    StartEvaluationJobResponse,
)
from jobs.testing import PROJECT_ID, WorkbenchProcess

PEERS = ("datasets", "models", "prompts", "configs", "adapters")
SCRIPT = """
import json, os, pathlib, time
words = os.environ["JOB_ARGUMENTS"].split(" ")
flags = dict(zip(words[::2], words[1::2]))
folder = pathlib.Path(flags["--result_dir"])
folder.mkdir(parents=True)
(folder / "flags.json").write_text(json.dumps(flags))
log = (folder / "job.log").open("a", buffering=1)
events = (folder / "events.jsonl").open("a", buffering=1)
def report(event, **fields):
    events.write(json.dumps({"event": event, **fields}) + "\\n")
"""
EVALUATES = """
log.write("token: " + os.environ.get("HUGGINGFACE_ACCESS_TOKEN", "none") + "\\n")
report("progress", step=4, total_steps=4)
report("sample", input="i", expected="e", output="o")
report("sample", input="i", expected="e", output="o")
report("sample", input="i-2", expected="e", output=3)
report("metrics", metrics={"exact_match": 0.75, "rougeL": float("nan"), "odd": "x"}, rows=4)
"""
LEAVES_A_TABLE = """
lines = ["model_input,expected_output,model_output,rougeL", "i,e,o,0.5", "i-2,e,e,1"]
(folder / "result_evaluation.csv").write_text("\\n".join(lines))
"""
GARBAGE = """
report("metrics", metrics=None, rows="many")
report("sample", input="\\ud800")
report("sample")
"""
WAITS = """
(folder / "pid").write_text(str(os.getpid()))
while True: time.sleep(0.1)
"""
ROWS: dict[str, list[dict[str, Any]]] = {
    "models": [{"id": "m", "type": "project", "name": "base", "location": "base"}],
    "datasets": [{"id": "d", "name": "intents"}],
    "prompts": [{"id": "p", "name": "p", "dataset_id": "d"}],
    "adapters": [{"id": "a", "name": "one"}, {"id": "a-2", "name": "two"}],
}


def content(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""


def evaluation(settings: Settings) -> "Peer[stubs.EvaluationAsyncStub]":
    return Peer("evaluation", settings, DOMAIN_SERVICES["evaluation"], stubs.EvaluationStub)


class Studio:
    """Calls to the services, and what jobs are."""

    def __init__(self, folder: Path, workbench: WorkbenchProcess) -> None:
        settings = settings_in(folder, "test")
        self.home = folder
        self.workbench = workbench
        self.jobs = evaluation(settings)
        self._owners: dict[str, Any] = {
            "models": domains.models(settings),
            "datasets": domains.datasets(settings),
            "prompts": domains.prompts(settings),
            "adapters": domains.adapters(settings),
        }

    async def fill(self) -> None:
        for name, rows in ROWS.items():
            await put_rows(self.home, name, *rows)

    async def close(self) -> None:
        for peer in (self.jobs, *self._owners.values()):
            await peer.close()

    def program(self, code: str, before: str = SCRIPT) -> None:
        """Makes the template job run `code`, as an evaluation has no script of the user's."""
        script = self.workbench.script("evaluate.py", before + code)
        template = self.workbench.job("Mlflow_Evaluation_Base_Job")
        template.script = script
        self.workbench.api.update_job(template, PROJECT_ID, str(template.id))

    async def start(
        self, *combinations: tuple[str, str], **fields: Any
    ) -> StartEvaluationJobResponse:
        sent = {
            "type": "mlflow",
            "model_adapter_combinations": [
                EvaluationJobModelCombination(base_model_id=model, adapter_id=adapter)
                for model, adapter in combinations or (("m", "a"),)
            ],
            "dataset_id": "d",
            "prompt_id": "p",
            "cpu": 1,
            "memory": 1,
            **fields,
        }
        request = StartEvaluationJobRequest(**sent)
        return await self.jobs(lambda s: s.StartEvaluationJob, request)

    async def get(self, id: str) -> EvaluationJobMetadata:
        request = GetEvaluationJobRequest(id=id)
        return (await self.jobs(lambda s: s.GetEvaluationJob, request)).evaluation_job

    async def reach(self, id: str, *states: str) -> EvaluationJobMetadata:
        async with asyncio.timeout(120):
            # What is waited for happens in another process.
            while (job := await self.get(id)).status.state not in states:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return job

    async def listed(self) -> list[EvaluationJobMetadata]:
        response = await self.jobs(lambda s: s.ListEvaluationJobs, ListEvaluationJobsRequest())
        return list(response.evaluation_jobs)

    async def remove(self, id: str) -> None:
        await self.jobs(lambda s: s.RemoveEvaluationJob, RemoveEvaluationJobRequest(id=id))

    async def refusal(self, *combinations: tuple[str, str], **fields: Any) -> errors.Refusal:
        with pytest.raises(errors.Refusal) as refused:
            await self.start(*combinations, **fields)
        assert await self.listed() == []
        assert self.workbench.jobs() == []
        return refused.value

    def folder(self, id: str) -> Path:
        return self.workbench.project / "mlflow_results" / id
