"""Add and Remove, and a list right after a write."""

from uuid import uuid4

from benchmarks.bench.contract import api, path_of
from benchmarks.bench.load import Call, Workload
from benchmarks.bench.workloads.subject import Subject


class PromptWrites(Workload):
    """Prompts that are added and removed again, so that the table stays as it is."""

    def __init__(self, name: str, title: str, subject: Subject) -> None:
        super().__init__(name, title, subject.processes)
        self._subject = subject
        self._connection = subject.connection
        self._added: list[str] = []

    def _adding(self) -> api.AddPromptRequest:
        prompt = api.PromptMetadata()
        prompt.CopyFrom(self._subject.prompt)
        prompt.id = str(uuid4())
        prompt.name = f"added {prompt.id}"
        self._added.append(prompt.id)
        return api.AddPromptRequest(prompt=prompt)

    async def end(self) -> None:
        ids, self._added = self._added, []
        requests = (api.RemovePromptRequest(id=id) for id in ids)
        await self._connection.ask_all("RemovePrompt", requests)


class Add(PromptWrites):
    """AddPrompt."""

    async def call(self) -> Call:
        request = self._adding().SerializeToString()
        return await self._connection.timed(path_of("AddPrompt"), request)


class Remove(PromptWrites):
    """RemovePrompt, of prompts that were added before the round."""

    has_warm_up = False

    async def begin(self, callers: int) -> None:
        requests = [self._adding() for _ in range(self._subject.settings.pool)]
        await self._connection.ask_all("AddPrompt", requests)

    async def call(self) -> Call | None:
        if not self._added:
            return None
        request = api.RemovePromptRequest(id=self._added.pop()).SerializeToString()
        return await self._connection.timed(path_of("RemovePrompt"), request)


class ListAfterWrite(PromptWrites):
    """The whole list, each time after an add or a remove that is not timed.

    Raises RuntimeError for a list that does not show the write.
    """

    has_rate = False

    async def begin(self, callers: int) -> None:
        self._removable: list[str] = []

    async def call(self) -> Call:
        added = not self._removable
        if added:
            request = self._adding()
            id = request.prompt.id
            await self._connection.ask("AddPrompt", request)
        else:
            id = self._removable.pop()
            await self._connection.ask("RemovePrompt", api.RemovePromptRequest(id=id))
        call, answer = await self._connection.answered(path_of("ListPrompts"), b"")
        if (id.encode() in answer) is not added:
            raise RuntimeError(f"stale: the list does not show that {id} was written")
        if added:
            self._removable.append(id)
        return call
