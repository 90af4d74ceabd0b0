"""Clients that start, cancel, remove and watch jobs, and keep what they were told."""

import asyncio
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from grpc import StatusCode, aio

from ft.enums import JobState
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    CancelEvaluationJobRequest,
    CancelFineTuningJobRequest,
    ListJobEventsRequest,
    ResumeFineTuningJobRequest,
    WatchJobRequest,
)
from ft.proto.fine_tuning_studio_pb2 import (
    EvaluationJobModelCombination,
    GetFineTuningJobRequest,
    RemoveEvaluationJobRequest,
    RemoveFineTuningJobRequest,
    StartEvaluationJobRequest,
    StartFineTuningJobRequest,
)
from ft.proto.fine_tuning_studio_types_pb2 import RetryPolicy
from jobs.testing import PROJECT_ID
from tests.faults.studio import AGAIN, FAILS, TABLES, WAITS, Studio

CANCEL = {
    "fine_tuning": ("CancelFineTuningJob", CancelFineTuningJobRequest),
    "evaluation": ("CancelEvaluationJob", CancelEvaluationJobRequest),
}
REMOVE = {
    "fine_tuning": ("RemoveFineTuningJob", RemoveFineTuningJobRequest),
    "evaluation": ("RemoveEvaluationJob", RemoveEvaluationJobRequest),
}
PAUSE_SECONDS = 0.6
"""Between a start and what is done about the job, at the most."""
MEDDLING_SECONDS = 0.7
FAILING = 0.2
"""Share of jobs that fail once and are tried again by themselves."""
RESUMED = 0.4
"""Share of cancelled fine-tuning jobs that are resumed."""


@dataclass
class Ledger:
    """What the studio has acknowledged, and what was asked of it."""

    starts: int = 0
    started: dict[str, str] = field(default_factory=dict)
    """Acknowledged jobs by their id, and their kind."""
    answers: dict[str, set[frozenset[str]]] = field(default_factory=lambda: defaultdict(set))
    """Ids of the jobs in each answer to a request id."""
    cancelled: set[str] = field(default_factory=set)
    """Acknowledged; `asked` has those as well that may have been served."""
    removed: set[str] = field(default_factory=set)
    resumed: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    cursors: dict[str, list[int]] = field(default_factory=dict)
    """Of the events that watches have seen."""
    codes: Counter[str] = field(default_factory=Counter)
    foreign: set[str] = field(default_factory=set)
    """Names of other people's jobs."""


class Clients:
    """Any number of clients at work until `enough` is set."""

    def __init__(self, studio: Studio, dice: random.Random) -> None:
        self.ledger = Ledger()
        self.enough = asyncio.Event()
        self.turns = asyncio.Semaphore(0)
        """One for each start that may be made."""
        self._studio = studio
        self._dice = dice
        self._beside: set[asyncio.Task[None]] = set()

    async def work(self) -> None:
        """Starts one job after the other, and does something about most of them."""
        while not self.enough.is_set():
            await self.turns.acquire()
            kind = self._dice.choice(list(TABLES))
            waits = self._dice.random() < 0.3
            for id in await self._start(kind, waits):
                self.ledger.started[id] = kind
                if self._dice.random() < 0.25:
                    self._also(self._watch(id))
                self._also(self._end(kind, id, waits))

    async def finished(self) -> None:
        """Returns when everything that was begun beside the starts is done."""
        while self._beside:
            await asyncio.gather(*self._beside)

    async def meddle(self) -> None:
        """Cancels and removes jobs that are just being started by somebody else."""
        while not self.enough.is_set():
            await asyncio.sleep(self._dice.uniform(0, 2 * MEDDLING_SECONDS))
            kind = self._dice.choice(list(TABLES))
            query = f"SELECT id FROM {TABLES[kind]} WHERE state IN ('QUEUED', 'DISPATCHING')"
            if found := self._studio.query(kind, query):
                [id] = self._dice.choice(found)
                await self._dice.choice([self.cancel, self.remove])(kind, id)

    async def fill_pages(self, count: int) -> None:
        """Makes other people's jobs, whose names are like those that the studio looks for."""
        for number in range(count):
            if self.enough.is_set():
                return
            ids = list(self.ledger.started) or ["job"]
            like = self._dice.choice([*ids, "Accel_Finetuning_Base_Job"])
            name = f"{like} of somebody else {number}"
            body = {"name": name, "script": "job.py", "cpu": 1, "memory": 1, "kernel": "k"}
            try:
                await asyncio.to_thread(self._studio.workbench.api.create_job, body, PROJECT_ID)
            except Exception:  # the workbench is killed now and then, in the middle of whatever
                await asyncio.sleep(0.2)
                continue
            self.ledger.foreign.add(name)

    async def cancel(self, kind: str, id: str) -> None:
        """Cancels a job, for certain."""
        rpc, request = CANCEL[kind]
        self.ledger.asked.add(id)
        if await self._told(rpc, request(id=id, reason="to see what happens")):
            self.ledger.cancelled.add(id)

    async def remove(self, kind: str, id: str) -> None:
        """Removes a job, for certain."""
        rpc, request = REMOVE[kind]
        self.ledger.asked.add(id)
        await self._told(rpc, request(id=id))
        self.ledger.removed.add(id)

    async def resume(self, id: str) -> None:
        """Resumes a fine-tuning job once it has ended, and ends it again, all for certain."""
        request = ResumeFineTuningJobRequest(id=id)
        while True:
            try:
                await self._studio.certainly("ResumeFineTuningJob", request)
            except aio.AioRpcError as error:
                if error.code() is StatusCode.NOT_FOUND:
                    return
                if error.code() is not StatusCode.FAILED_PRECONDITION:
                    raise
                # Not ended yet; or it had done its work before it was cancelled; or it was resumed,
                # and the answer was lost.
                status = await self._status(id)
                if status is None or status.state == JobState.SUCCEEDED:
                    return
                if status.attempt > 1:
                    break
                await asyncio.sleep(0.2)
            else:
                break
        self.ledger.resumed.add(id)
        await asyncio.sleep(self._dice.uniform(0, PAUSE_SECONDS))
        await self.cancel("fine_tuning", id)

    async def _status(self, id: str) -> Any | None:
        try:
            request = GetFineTuningJobRequest(id=id)
            answer = await self._studio.certainly("GetFineTuningJob", request)
        except aio.AioRpcError as error:
            if error.code() is not StatusCode.NOT_FOUND:
                raise
            return None
        return answer.fine_tuning_job.status

    async def _told(self, rpc: str, request: Any) -> bool:
        """Whether the job was still there."""
        try:
            await self._studio.certainly(rpc, request)
        except aio.AioRpcError as error:
            if error.code() is not StatusCode.NOT_FOUND:
                raise
            return False
        return True

    def _also(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        # What failed is kept, for `finished` to raise.
        if not task.exception():
            self._beside.discard(task)

    async def _start(self, kind: str, waits: bool) -> list[str]:
        """Ids of the acknowledged jobs of one start; it is asked again if that is safe."""
        request_id = str(uuid.uuid4()) if self._dice.random() < 0.5 else ""
        request = self._request(kind, waits, request_id)
        rpc = "StartFineTuningJob" if kind == "fine_tuning" else "StartEvaluationJob"
        self.ledger.starts += 1
        if not request_id:
            return await self._asked(rpc, request)
        times = 2 if self._dice.random() < 0.1 else 1
        answers = await asyncio.gather(
            *(self._studio.certainly(rpc, request) for _ in range(times))
        )
        found = {frozenset(_ids(answer)) for answer in answers}
        self.ledger.answers[request_id] |= found
        return sorted({id for ids in found for id in ids})

    async def _asked(self, rpc: str, request: Any) -> list[str]:
        try:
            return _ids(await self._studio.call(rpc, request))
        except aio.AioRpcError as error:
            self.ledger.codes[error.code().name] += 1
            if error.code() not in AGAIN:
                raise
            return []

    def _request(self, kind: str, waits: bool, request_id: str) -> Any:
        name = WAITS if waits else "quick"
        given: dict[str, Any] = {
            "dataset_id": "d",
            "prompt_id": "p",
            "cpu": 1,
            "memory": 1,
            "gpu": 0,
        }
        if kind == "fine_tuning":
            fails = not waits and self._dice.random() < FAILING
            return StartFineTuningJobRequest(
                adapter_name=f"{FAILS if fails else name}-{uuid.uuid4()}",
                base_model_id="m",
                user_script="job.py",
                request_id=request_id,
                retry=RetryPolicy(max_attempts=2) if fails else None,
                **given,
            )
        combination = EvaluationJobModelCombination(base_model_id="m", adapter_id=name)
        return StartEvaluationJobRequest(
            type="mlflow",
            model_adapter_combinations=[combination] * self._dice.choice([1, 1, 2]),
            request_id=request_id,
            **given,
        )

    async def _end(self, kind: str, id: str, waits: bool) -> None:
        await asyncio.sleep(self._dice.uniform(0, PAUSE_SECONDS))
        chance = self._dice.random()
        if chance < (0.4 if waits else 0.1):
            await self.remove(kind, id)
        elif waits or chance < 0.3:
            await self.cancel(kind, id)
            if kind == "fine_tuning" and self._dice.random() < RESUMED:
                await self.resume(id)

    async def _watch(self, id: str) -> None:
        """Follows a job to its end, over any number of cut connections."""
        cursors = self.ledger.cursors.setdefault(id, [])
        while True:
            request = WatchJobRequest(job_id=id, cursor=cursors[-1] if cursors else 0)
            try:
                async for response in self._studio.stub("WatchJob")(request, wait_for_ready=True):
                    if response.HasField("event"):
                        cursors.append(response.event.cursor)
            except aio.AioRpcError as error:
                if error.code() is StatusCode.NOT_FOUND:
                    return
                if error.code() not in AGAIN:
                    raise
                await asyncio.sleep(0.1)
            else:
                return

    async def listed_cursors(self, id: str) -> list[int]:
        """Cursors of all events of a job."""
        response = await self._studio.certainly("ListJobEvents", ListJobEventsRequest(job_id=id))
        return [event.cursor for event in response.events]


def _ids(answer: Any) -> list[str]:
    if hasattr(answer, "fine_tuning_job"):
        return [answer.fine_tuning_job.id]
    return [job.id for job in answer.evaluation_jobs]
