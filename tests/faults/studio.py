"""A studio whose processes may be killed at any moment, and what its jobs run."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import psutil
from grpc import StatusCode, aio

from chassis.testing.services import ServiceProcess, put_rows, services
from ft.channel import channel_options
from ft.proto.fine_tuning_studio_jobs_pb2_grpc import FineTuningStudioJobsStub
from ft.proto.fine_tuning_studio_pb2_grpc import FineTuningStudioStub
from jobs.testing import WorkbenchProcess, until
from tests.faults.proxy import Proxy
from tests.support import REPOSITORY

WORKSPACE_SECONDS = 2.0
"""How long the services wait for an answer of the workspace."""
CALL_SECONDS = 20.0
BACK_SECONDS = 180.0
PEERS = ("datasets", "models", "prompts", "configs", "adapters")
TABLES = {"fine_tuning": "fine_tuning_jobs", "evaluation": "evaluation_jobs"}
FOLDERS = {"fine_tuning": "outputs", "evaluation": "mlflow_results"}
WAITS = "waits"
"""Begins the name of an adapter whose job does not end by itself."""
FAILS = "fails"
"""Begins the name of an adapter whose job fails at its first attempt."""
AGAIN = {
    StatusCode.UNAVAILABLE,
    StatusCode.DEADLINE_EXCEEDED,
    StatusCode.RESOURCE_EXHAUSTED,
    StatusCode.ABORTED,
}
"""Codes after which the same call may be made again."""
ROWS: dict[str, list[dict[str, Any]]] = {
    "models": [{"id": "m", "type": "project", "name": "base", "location": "base"}],
    "datasets": [{"id": "d", "name": "intents"}],
    "prompts": [{"id": "p", "name": "p", "dataset_id": "d"}],
    "adapters": [{"id": "quick", "name": "quick"}, {"id": WAITS, "name": WAITS}],
}
JOB = f"""
import json, os, pathlib, sys, time
sys.path.insert(0, {str(REPOSITORY / "shared")!r})
from trainer.job.claim import attempt, claim
words = os.environ["JOB_ARGUMENTS"].split(" ")
def flag(*names):
    return next(words[words.index(name) + 1] for name in names if name in words)
folder = pathlib.Path(flag("--train_out_dir", "--result_dir"))
if not claim(folder, os.environ):
    sys.exit()
with (folder / "worked").open("a") as file:
    file.write(f"{{attempt(os.environ)}} {{os.environ['CDSW_ENGINE_ID']}}\\n")
with (folder / "events.jsonl").open("a", buffering=1) as events:
    for step in range(3):
        report = {{"event": "progress", "step": step, "total_steps": 3}}
        events.write(json.dumps(report) + "\\n")
        time.sleep(0.1)
if flag("--adapter_name", "--adapter_id").startswith("{FAILS}") and attempt(os.environ) == 1:
    sys.exit(1)
while flag("--adapter_name", "--adapter_id").startswith("{WAITS}"):
    time.sleep(0.1)
"""


def bare_python(folder: Path) -> str:
    """An interpreter that starts fast, and says that its trainer lies in the project: there are the
    scripts of the template jobs, made for the test."""
    script = folder / "python"
    about = json.dumps({"version": "3.11.0", "trainer": ["trainer"], "lacks": []})
    script.write_text(
        "#!/bin/sh\n"
        f"if [ \"$1\" = -c ]; then echo '{about}'; exit; fi\n"
        f'exec "{sys.executable}" -I -S "$@"\n'
    )
    script.chmod(0o755)
    return str(script)


class Studio:
    """The processes of a studio, and calls to its facade."""

    def __init__(self, folder: Path, workbench: WorkbenchProcess, proxy: Proxy) -> None:
        self.folder = folder
        self.workbench = workbench
        self.proxy = proxy
        environment = {
            **workbench.environment,
            "CDSW_API_URL": f"{proxy.url}/api/v2",
            "FTS_WORKSPACE_REQUEST_SECONDS": str(WORKSPACE_SECONDS),
            "FTS_RETRY_PAUSE_SECONDS": "0.5",
        }
        self.processes = {
            name: ServiceProcess(
                folder, name, FTS_LISTEN=f"unix:{folder}/run/{name}.sock", **environment
            )
            for name in ("facade", *TABLES)
        }
        facade = self.processes["facade"].address
        self.channel = aio.insecure_channel(facade, options=channel_options())
        self._stubs = (FineTuningStudioStub(self.channel), FineTuningStudioJobsStub(self.channel))

    @property
    def victims(self) -> list[str]:
        """Names of what can be killed."""
        return [*self.processes, "workbench"]

    async def kill(self, name: str, away: float) -> None:
        """Kills a process with SIGKILL, and starts it again after so many seconds."""
        victim = self.processes.get(name, self.workbench)
        victim.kill()
        await asyncio.sleep(away)
        victim.start()

    async def back(self, name: str) -> None:
        """Returns when a process that was started again answers."""
        if name in self.processes:
            await self.processes[name].serving(BACK_SECONDS)
        else:
            await until("the workbench answers", self.workbench.answers, BACK_SECONDS)

    def stub(self, rpc: str) -> Any:
        """The RPC of that name, of whichever service."""
        return next(getattr(stub, rpc) for stub in self._stubs if hasattr(stub, rpc))

    async def call(self, rpc: str, request: Any) -> Any:
        """Calls the facade. Raises AioRpcError."""
        return await self.stub(rpc)(request, timeout=CALL_SECONDS, wait_for_ready=True)

    async def certainly(self, rpc: str, request: Any) -> Any:
        """Calls the facade until it says that it has done what was asked for."""
        while True:
            try:
                return await self.call(rpc, request)
            except aio.AioRpcError as error:
                if error.code() not in AGAIN:
                    raise
                await asyncio.sleep(0.1)

    def query(self, kind: str, text: str) -> list[Any]:
        """What a job domain's database says."""
        with closing(sqlite3.connect(f"file:{self.folder}/{kind}.db?mode=ro", uri=True)) as db:
            return db.execute(text).fetchall()

    def worked(self) -> dict[str, list[str]]:
        """The runs that did the work of each job, as the jobs wrote it down."""
        found = {}
        for folder in FOLDERS.values():
            for file in (self.workbench.project / folder).glob("*/worked"):
                found[file.parent.name] = file.read_text().splitlines()
        return found

    def at_work(self) -> list[int]:
        """Processes of runs."""
        pids = []
        for process in psutil.process_iter():
            try:
                inside = process.cwd() == str(self.workbench.project)
                if inside and "CDSW_ENGINE_ID" in process.environ():
                    pids.append(process.pid)
            except psutil.Error:
                continue
        return pids


@asynccontextmanager
async def running(folder: Path, proxy: Proxy, workbench: WorkbenchProcess) -> AsyncIterator[Studio]:
    """A studio with rows that jobs can be started with."""
    scripts = workbench.project / "trainer" / "scripts"
    scripts.mkdir(parents=True)
    for name in ("job.py", "trainer/scripts/evaluate.py"):
        workbench.script(name, JOB)
    studio = Studio(folder, workbench, proxy)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(services(folder, *PEERS))
        for domain, rows in ROWS.items():
            await put_rows(folder, domain, *rows)
        for process in studio.processes.values():
            stack.enter_context(process)
        stack.push_async_callback(studio.channel.close, None)
        yield studio
