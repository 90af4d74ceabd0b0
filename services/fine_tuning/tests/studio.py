"""The fine-tuning service with its real peers and jobs that really run, in a real workbench."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis import domains
from chassis.rpc import errors
from chassis.testing.services import put_rows, settings_in
from ft.proto.fine_tuning_studio_jobs_pb2 import TailLogsRequest, TailLogsResponse
from ft.proto.fine_tuning_studio_pb2 import (
    FineTuningJobMetadata,
    GetDatasetSplitByAdapterRequest,
    GetFineTuningJobRequest,
    ListFineTuningJobsRequest,
    ListPromptsRequest,
    PromptMetadata,
    RemoveFineTuningJobRequest,
    StartFineTuningJobRequest,
)
from jobs.testing import WorkbenchProcess

PEERS = ("datasets", "models", "prompts", "configs", "adapters")
SCRIPT = """
import json, os, pathlib, sys, time
words = os.environ["JOB_ARGUMENTS"].split(" ")
folder = pathlib.Path(words[words.index("--train_out_dir") + 1])
folder.mkdir(parents=True)
log = (folder / "job.log").open("a", buffering=1)
events = (folder / "events.jsonl").open("a", buffering=1)
def report(event, **fields):
    events.write(json.dumps({"event": event, **fields}) + "\\n")
"""
TRAINS = """
log.write("token: " + os.environ.get("HUGGINGFACE_ACCESS_TOKEN", "none") + "\\n")
report("started", total_steps=2)
report("progress", step=2, total_steps=2, loss=0.5)
report("manifest", manifest={"seed": 7, "prompt": "a b"})
report("registered", adapter_id="a-new")
log.write("done\\n")
"""
WAITS = """
(folder / "pid").write_text(str(os.getpid()))
report("progress", step=1)
log.write("waiting\\n")
while not (folder / "go").exists(): time.sleep(0.02)
log.write("going\\n")
"""
ROWS: dict[str, list[dict[str, Any]]] = {
    "models": [{"id": "m", "type": "project", "name": "base", "location": "base"}],
    "datasets": [
        {"id": "d", "name": "intents", "features": '["instruction", "input", "output"]'},
        {"id": "d-2", "name": "others"},
    ],
    "prompts": [{"id": "p", "name": "p", "dataset_id": "d"}, {"id": "p q", "dataset_id": "d"}],
    "adapters": [
        {"id": "a-job", "name": "by-job", "fine_tuning_job_id": "j-1"},
        {"id": "a-name", "name": "by-name"},
        {"id": "a-alone", "name": "alone"},
        {"id": "a-gone", "name": "by-name", "fine_tuning_job_id": "gone"},
    ],
}
OLD_JOBS = [
    {"id": "j-1", "adapter_name": "x", "dataset_fraction": 0.5, "train_test_split": 0.25},
    {"id": "j-2", "adapter_name": "by-name", "dataset_fraction": 0.75, "train_test_split": 0.5},
]


def content(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""


class Studio:
    """Calls to the services, and scripts to run as jobs."""

    def __init__(self, folder: Path, workbench: WorkbenchProcess) -> None:
        settings = settings_in(folder, "test")
        self.home = folder
        self.workbench = workbench
        self.jobs = domains.fine_tuning(settings)
        self.configs = domains.configs(settings)
        self.adapters = domains.adapters(settings)
        self._owners: dict[str, Any] = {
            "models": domains.models(settings),
            "datasets": domains.datasets(settings),
            "prompts": domains.prompts(settings),
            "adapters": self.adapters,
        }

    async def fill(self) -> None:
        for name, rows in ROWS.items():
            await put_rows(self.home, name, *rows)

    async def close(self) -> None:
        for peer in (self.jobs, self.configs, *self._owners.values()):
            await peer.close()

    async def start(self, code: str = TRAINS, **fields: Any) -> FineTuningJobMetadata:
        sent = {
            "adapter_name": "new",
            "base_model_id": "m",
            "dataset_id": "d",
            "prompt_id": "p",
            "num_cpu": 1,
            "num_memory": 1,
            "user_script": self.workbench.script("train.py", SCRIPT + code),
            **fields,
        }
        request = StartFineTuningJobRequest(**sent)
        return (await self.jobs(lambda s: s.StartFineTuningJob, request)).fine_tuning_job

    async def get(self, id: str) -> FineTuningJobMetadata:
        request = GetFineTuningJobRequest(id=id)
        return (await self.jobs(lambda s: s.GetFineTuningJob, request)).fine_tuning_job

    async def reach(self, id: str, *states: str) -> FineTuningJobMetadata:
        async with asyncio.timeout(120):
            # What is waited for happens in another process.
            while (job := await self.get(id)).status.state not in states:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return job

    async def listed(self) -> list[FineTuningJobMetadata]:
        response = await self.jobs(lambda s: s.ListFineTuningJobs, ListFineTuningJobsRequest())
        return list(response.fine_tuning_jobs)

    async def remove(self, id: str) -> None:
        await self.jobs(lambda s: s.RemoveFineTuningJob, RemoveFineTuningJobRequest(id=id))

    async def prompts(self) -> list[PromptMetadata]:
        peer = self._owners["prompts"]
        return list((await peer(lambda s: s.ListPrompts, ListPromptsRequest())).prompts)

    async def split(self, adapter_id: str) -> tuple[float, float]:
        request = GetDatasetSplitByAdapterRequest(adapter_id=adapter_id)
        found = (await self.jobs(lambda s: s.GetDatasetSplitByAdapter, request)).response
        return found.dataset_fraction, found.train_test_split

    async def refusal(self, **fields: Any) -> errors.Refusal:
        before = len(await self.listed())
        with pytest.raises(errors.Refusal) as refused:
            await self.start(**fields)
        assert len(await self.listed()) == before
        assert self.workbench.jobs() == []
        return refused.value

    async def tail(self, id: str, **how: Any) -> AsyncIterator[TailLogsResponse]:
        request = TailLogsRequest(job_id=id, **how).SerializeToString()
        async for answer in self.jobs.channel.stream("TailLogs", request):
            yield TailLogsResponse.FromString(answer)

    def folder(self, id: str) -> Path:
        return self.workbench.project / "outputs" / id
