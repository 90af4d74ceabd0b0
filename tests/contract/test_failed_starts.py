"""Starts that fail before anything of the job runs: the record stays, name and request id are free.

Each kind of job is started by wire, in a real workbench that refuses or is away.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis.domains import DOMAIN_SERVICES
from chassis.rpc import errors
from chassis.rpc.peers import Peer
from chassis.testing.services import CALLER, put_rows, services, settings_in
from ft.proto import domains_pb2_grpc
from ft.proto import fine_tuning_studio_jobs_pb2 as jobs_pb
from ft.proto import fine_tuning_studio_pb2 as pb
from jobs.testing import PROJECT_ID, WorkbenchProcess, until
from tests.faults.proxy import Proxy
from tests.processes import starts_processes

PEERS = ("datasets", "models", "adapters", "prompts", "configs")
ROWS: dict[str, list[dict[str, Any]]] = {
    "models": [{"id": "m", "type": "project", "name": "base", "location": "base"}],
    "datasets": [{"id": "d", "name": "d", "features": '["a"]'}],
    "prompts": [
        {
            "id": "p",
            "name": "p",
            "dataset_id": "d",
            **dict.fromkeys(("prompt_template", "input_template", "completion_template"), "{a}"),
        }
    ],
    "adapters": [
        {"id": "x", "type": "project", "name": "x", "model_id": "m", "location": "adapters/x"}
    ],
}
TEMPLATES = (
    "Accel_Finetuning_Base_Job",
    "Mlflow_Evaluation_Base_Job",
    "Model_Export_Base_Job",
)


class Kind:
    """One kind of job: its start, and the list of its records."""

    def __init__(self, domain: str, items: str, template: str, start: Any, listed: Any) -> None:
        self.domain, self.items, self.template = domain, items, template
        self._start, self._listed = start, listed

    def request(self, request_id: str = "") -> Any:
        request = type(self._start)()
        request.CopyFrom(self._start)
        request.request_id = request_id
        return request

    @property
    def list_request(self) -> Any:
        return self._listed()

    @property
    def jobs(self) -> int:
        """How many jobs a start makes."""
        return len(getattr(self._start, "model_adapter_combinations", [None]))


TRAINING = Kind(
    "fine_tuning",
    "fine_tuning_jobs",
    TEMPLATES[0],
    pb.StartFineTuningJobRequest(
        adapter_name="tuned", base_model_id="m", dataset_id="d", prompt_id="p", cpu=1, memory=1
    ),
    pb.ListFineTuningJobsRequest,
)
EVALUATION = Kind(
    "evaluation",
    "evaluation_jobs",
    TEMPLATES[1],
    pb.StartEvaluationJobRequest(
        type="mlflow",
        dataset_id="d",
        prompt_id="p",
        cpu=1,
        memory=1,
        model_adapter_combinations=[
            {"base_model_id": "m"},
            {"base_model_id": "m", "adapter_id": "x"},
        ],
    ),
    pb.ListEvaluationJobsRequest,
)
EXPORT = Kind(
    "models",
    "export_jobs",
    TEMPLATES[2],
    pb.ExportModelRequest(type="merged", base_model_id="m", adapter_id="x", model_name="merged"),
    jobs_pb.ListExportJobsRequest,
)
KINDS = pytest.mark.parametrize("kind", [TRAINING, EVALUATION, EXPORT], ids=lambda k: k.domain)


class Way(Proxy):
    """The way to the workspace, which refuses to create jobs or is away when it is told to."""

    def __init__(self, workbench: WorkbenchProcess) -> None:
        super().__init__(lambda: workbench.url, random.Random(0), 0.0, 1.0)
        self.away = False
        self.refused = 0
        """How many of the next jobs are refused."""

    async def _pass_on(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        if self.away:
            return
        line = request.split(b"\r\n", 1)[0].split()
        if self.refused and line[0] == b"POST" and line[1].endswith(b"/jobs"):
            self.refused -= 1
            said = (
                b'{"error": "no more jobs for you", "code": 9, "message": "no more jobs for you"}'
            )
            writer.write(
                b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
                b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said)
            )
            await writer.drain()
            return
        await super()._pass_on(request, writer)


class Studio:
    """Calls to the services."""

    def __init__(self, folder: Path, workbench: WorkbenchProcess, way: "Way") -> None:
        self.workbench = workbench
        self.way = way
        settings = settings_in(folder, CALLER)
        self._peers: dict[str, Any] = {
            kind.domain: Peer(
                kind.domain,
                settings,
                DOMAIN_SERVICES[kind.domain],
                getattr(domains_pb2_grpc, f"{DOMAIN_SERVICES[kind.domain].name}Stub"),
            )
            for kind in (TRAINING, EVALUATION, EXPORT)
        }

    async def start(self, kind: Kind, request_id: str = "") -> set[str]:
        """Ids of the jobs that are started."""
        return await self.send(kind, kind.request(request_id))

    async def send(self, kind: Kind, request: Any) -> set[str]:
        """The same for any request."""
        rpc = type(request).DESCRIPTOR.name.removesuffix("Request")
        answer = await self._peers[kind.domain](lambda s: getattr(s, rpc), request)
        if kind is EXPORT:
            return {answer.export_job_id}
        if kind is TRAINING:
            return {answer.fine_tuning_job.id}
        return {job.id for job in answer.evaluation_jobs}

    async def states(self, kind: Kind) -> dict[str, str]:
        """State of each job by its id."""
        return {job.id: job.status.state for job in await self.listed(kind)}

    async def listed(self, kind: Kind) -> list[Any]:
        """Every record of the kind."""
        request = kind.list_request
        rpc = type(request).DESCRIPTOR.name.removesuffix("Request")
        listed = await self._peers[kind.domain](lambda s: getattr(s, rpc), request)
        return list(getattr(listed, kind.items))

    async def close(self) -> None:
        for peer in self._peers.values():
            await peer.close()


@pytest.fixture(scope="module")
@starts_processes
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkbenchProcess]:
    with WorkbenchProcess(tmp_path_factory.mktemp("workbench")) as workbench:
        (workbench.project / "base").mkdir()
        waits = workbench.script("waits.py", "import time\ntime.sleep(600)\n")
        for name in TEMPLATES:
            template = workbench.job(name)
            template.script = waits
            workbench.api.update_job(template, PROJECT_ID, str(template.id))
        yield workbench


@pytest.fixture
async def studio(
    workbench: WorkbenchProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Studio]:
    async with Way(workbench) as way:
        for name, value in workbench.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CDSW_API_URL", f"{way.url}/api/v2")
        monkeypatch.setenv("FTS_WORKSPACE_REQUEST_SECONDS", "2")
        async with services(tmp_path, *PEERS, "fine_tuning", "evaluation"):
            for domain, rows in ROWS.items():
                await put_rows(tmp_path, domain, *rows)
            studio = Studio(tmp_path, workbench, way)
            yield studio
            await studio.close()
    workbench.clear()


@KINDS
@pytest.mark.parametrize("request_id", ["", "the same"])
async def test_refused_start_stays_in_the_history(
    studio: Studio, kind: Kind, request_id: str
) -> None:
    for _ in range(2):
        studio.way.refused = kind.jobs
        with pytest.raises(errors.FailedPrecondition, match="no more jobs for you"):
            await studio.start(kind, request_id)
    before = await studio.states(kind)
    assert list(before.values()) == ["FAILED"] * 2 * kind.jobs
    # The name is free, and so is the id.
    started = await studio.start(kind, request_id)
    assert not started & set(before)
    after = await studio.states(kind)
    assert {id: after[id] for id in before} == before
    assert not {after[id] for id in started} & {"FAILED", "STOPPED"}
    if request_id:
        assert await studio.start(kind, request_id) == started


async def test_corrected_request_is_accepted_after_a_refusal(studio: Studio) -> None:
    studio.way.refused = 1
    with pytest.raises(errors.FailedPrecondition):
        await studio.start(TRAINING, "the same")
    corrected = TRAINING.request("the same")
    corrected.cpu = 2
    assert await studio.send(TRAINING, corrected)
    with pytest.raises(errors.InvalidArgument, match="was used by another request"):
        await studio.start(TRAINING, "the same")


@pytest.mark.parametrize("kind", [TRAINING, EVALUATION], ids=lambda k: k.domain)
async def test_start_waits_while_the_workspace_is_away(studio: Studio, kind: Kind) -> None:
    studio.way.away = True
    with pytest.raises(errors.Unavailable):
        await studio.start(kind)
    failed = await studio.states(kind)
    assert list(failed.values()) == ["FAILED"] * kind.jobs
    with pytest.raises(errors.Unavailable):
        await studio.start(kind, "the same")
    queued = {id: state for id, state in (await studio.states(kind)).items() if id not in failed}
    assert list(queued.values()) == ["QUEUED"] * kind.jobs
    assert await studio.start(kind, "the same") == set(queued)
    studio.way.away = False
    # They are carried on by themselves, and stay what the id stands for.
    await until("the workspace has them", lambda: len(studio.workbench.jobs()) == kind.jobs, 60)
    assert await studio.start(kind, "the same") == set(queued)
    assert {id: (await studio.states(kind))[id] for id in failed} == failed


async def test_export_starts_nothing_while_the_workspace_is_away(studio: Studio) -> None:
    studio.way.away = True
    for request_id in ("", "the same"):
        with pytest.raises(errors.Unavailable):
            await studio.start(EXPORT, request_id)
    assert await studio.states(EXPORT) == {}
    studio.way.away = False
    assert await studio.start(EXPORT, "the same")


async def test_job_refused_after_waiting_frees_its_id(studio: Studio) -> None:
    studio.way.away = True
    with pytest.raises(errors.Unavailable):
        await studio.start(TRAINING, "the same")
    studio.way.refused, studio.way.away = 1, False
    [waited] = await studio.states(TRAINING)
    async with asyncio.timeout(60):
        # What is waited for happens in another task, of which only the wire tells.
        while (await studio.states(TRAINING))[waited] != "FAILED":  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    [started] = await studio.start(TRAINING, "the same")
    assert started != waited


async def test_partly_refused_evaluation_is_repeated(
    studio: Studio,
) -> None:
    studio.way.refused = 1
    with pytest.raises(errors.FailedPrecondition, match="no more jobs for you"):
        await studio.start(EVALUATION, "the same")
    states = await studio.states(EVALUATION)
    [refused] = [id for id, state in states.items() if state == "FAILED"]
    [kept] = set(states) - {refused}
    again = await studio.start(EVALUATION, "the same")
    assert len(again) == 2
    assert kept in again
    assert refused not in again
    assert await studio.start(EVALUATION, "the same") == again
    jobs = {job.id: job for job in await studio.listed(EVALUATION)}
    assert len({job.parent_job_id for job in jobs.values()}) == 1
    assert {jobs[id].adapter_id for id in again} == {"", "x"}
