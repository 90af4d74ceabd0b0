"""Get, whole lists and pages."""

from typing import Any

from google.protobuf.message import Message

from benchmarks.bench.contract import api, path_of
from benchmarks.bench.load import Call, Workload
from benchmarks.bench.workloads.subject import Subject

LARGEST_PAGE = 1_000


class Read(Workload):
    """One request, sent again and again."""

    def __init__(
        self,
        name: str,
        title: str,
        subject: Subject,
        rpc: str,
        request: Message,
    ) -> None:
        super().__init__(name, title, subject.processes)
        self._connection = subject.connection
        self._rpc = rpc
        self._message = request
        self._path = path_of(rpc)
        self._bytes = b""

    async def prepare(self) -> None:
        self._bytes = self._message.SerializeToString()
        await self._connection.ask(self._rpc, self._message)

    async def call(self) -> Call:
        return await self._connection.timed(self._path, self._bytes)


class Listing(Read):
    """A whole list, or a page of it that begins after so many rows."""

    def __init__(
        self,
        name: str,
        title: str,
        subject: Subject,
        rows: int,
        *,
        of_jobs: bool = False,
        after: int = 0,
        **fields: Any,
    ) -> None:
        """`rows` is the number that the answer must have."""
        rpc = "ListFineTuningJobs" if of_jobs else "ListPrompts"
        self._items = "fine_tuning_jobs" if of_jobs else "prompts"
        kind = api.ListFineTuningJobsRequest if of_jobs else api.ListPromptsRequest
        super().__init__(name, title, subject, rpc, kind(**fields))
        self._rows = rows
        self._after = after

    async def prepare(self) -> None:
        """Finds the page, and makes sure of its rows."""
        message: Any = self._message
        page_size, left = message.page_size, self._after
        while left:
            message.page_size = min(left, LARGEST_PAGE)
            left -= message.page_size
            answer = await self._connection.ask(self._rpc, message)
            message.page_token = answer.next_page_token
        message.page_size = page_size
        self._bytes = message.SerializeToString()
        answer = await self._connection.ask(self._rpc, message)
        found = len(getattr(answer, self._items))
        if found != self._rows:
            raise RuntimeError(f"{self._rpc} returned {found} rows in place of {self._rows}")
