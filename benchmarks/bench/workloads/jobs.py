"""Validate, Start, and the events of a watched job."""

import asyncio
import json
import time
from itertools import count
from uuid import uuid4

import grpc
from grpc import aio

from benchmarks.bench.connection import SECONDS
from benchmarks.bench.contract import api, path_of
from benchmarks.bench.load import Call, Workload
from benchmarks.bench.workloads.subject import Subject

ASK_AGAIN_SECONDS = 0.01
BUSY_SECONDS = 0.25
"""Pause before a busy studio is asked again: each time costs it a part of a validation."""
MOST_VALIDATIONS = 16
"""In one round. Each runs a process of its own, which takes about a second."""


class JobWorkload(Workload):
    """Jobs that are started, and removed at the end of the round."""

    def __init__(self, name: str, title: str, subject: Subject) -> None:
        super().__init__(name, title, subject.processes)
        self._subject = subject
        self._connection = subject.connection
        self._started: list[str] = []

    def _starting(self) -> api.StartFineTuningJobRequest:
        request = api.StartFineTuningJobRequest()
        request.CopyFrom(self._subject.start)
        request.adapter_name = f"bench-{uuid4()}"
        return request

    async def end(self) -> None:
        ids, self._started = self._started, []
        requests = (api.RemoveFineTuningJobRequest(id=id) for id in ids)
        await self._connection.ask_all("RemoveFineTuningJob", requests)
        if ids:
            await self.processes.quiet()


class Validate(JobWorkload):
    """ValidateFineTuningJob. A studio that is busy with others is asked again, which counts."""

    has_warm_up = False
    _left = 0

    async def begin(self, callers: int) -> None:
        self._left = MOST_VALIDATIONS

    async def call(self) -> Call | None:
        if not self._left:
            return None
        self._left -= 1
        request = api.ValidateFineTuningJobRequest(request=self._starting()).SerializeToString()
        begin = time.perf_counter()
        while True:
            try:
                call = await self._connection.timed(path_of("ValidateFineTuningJob"), request)
            except aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise
                await asyncio.sleep(BUSY_SECONDS)
                continue
            return Call(time.perf_counter() - begin, call.answer_bytes)


class Start(JobWorkload):
    """StartFineTuningJob, until the workspace has accepted the job."""

    has_warm_up = False

    async def call(self) -> Call | None:
        if len(self._started) >= self._subject.settings.starts:
            return None
        request = self._starting().SerializeToString()
        begin = time.perf_counter()
        call, answer = await self._connection.answered(path_of("StartFineTuningJob"), request)
        job = api.StartFineTuningJobResponse.FromString(answer).fine_tuning_job
        self._started.append(job.id)
        while not job.cml_job_id and time.perf_counter() - begin < SECONDS:
            asked = api.GetFineTuningJobRequest(id=job.id)
            job = (await self._connection.ask("GetFineTuningJob", asked)).fine_tuning_job
        if not job.cml_job_id:
            raise RuntimeError(f"the workspace has not accepted job {job.id} in {SECONDS} s")
        return Call(time.perf_counter() - begin, call.answer_bytes)


class Watch(JobWorkload):
    """An event of a job, from its report until every watcher has it. Callers are watchers."""

    is_compared = False

    def __init__(self, name: str, title: str, subject: Subject) -> None:
        super().__init__(name, title, subject)
        self._watchers: list[asyncio.Task[None]] = []
        self._steps = count(1)
        self._step = 0
        """Step of the event that is waited for."""
        self._waiting: set[int] = set()
        """Watchers that do not have it yet."""
        self._complete = asyncio.Event()

    def in_flight(self, callers: int) -> int:
        return 1

    async def begin(self, callers: int) -> None:
        started = await self._connection.ask("StartFineTuningJob", self._starting())
        id = started.fine_tuning_job.id
        self._started.append(id)
        async with asyncio.timeout(SECONDS):
            while not (token := self._subject.token(id)):  # noqa: ASYNC110 - a file's
                await asyncio.sleep(ASK_AGAIN_SECONDS)
        self._report = api.ReportJobEventsRequest(job_id=id, token=token)
        self._watchers = [asyncio.create_task(self._watch(id, n)) for n in range(callers)]
        for watcher in self._watchers:
            watcher.add_done_callback(lambda _: self._complete.set())
        await self.call()  # A watcher that has this event is connected.

    async def _watch(self, id: str, number: int) -> None:
        request = api.WatchJobRequest(job_id=id)
        async for response in self._connection.stream("WatchJob", request):
            if response.event.step == self._step:
                self._waiting.discard(number)
                if not self._waiting:
                    self._complete.set()

    async def call(self) -> Call:
        self._step = next(self._steps)
        self._waiting = set(range(len(self._watchers)))
        self._complete.clear()
        event = {"event": "progress", "step": self._step}
        self._report.data = json.dumps(event).encode() + b"\n"
        begin = time.perf_counter()
        answer = await self._connection.ask("ReportJobEvents", self._report)
        self._report.offset = answer.next_offset
        async with asyncio.timeout(SECONDS):
            await self._complete.wait()
        seconds = time.perf_counter() - begin
        if any(watcher.done() for watcher in self._watchers):
            raise RuntimeError("the watch of a job that runs has ended")
        return Call(seconds, len(self._report.data))

    async def end(self) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self._watchers = []
        await super().end()
