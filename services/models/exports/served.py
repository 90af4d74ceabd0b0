"""Exports that the workspace serves: one for each name, and for each request."""

import asyncio
from weakref import WeakValueDictionary

from chassis.store.engine import Store
from chassis.store.idempotency import Repeats, noted, noting
from services.models.exports.references import References
from services.models.exports.request import ExportWanted
from services.models.exports.serving import ServedModels


class ServedIds:
    """The workspace's ids of served models, for `Repeats`: the models themselves lie there."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def one(self, **equal: object) -> str | None:
        """The id that is asked for."""
        return str(equal["id"])

    async def note(self, model_id: str) -> None:
        """Notes what the request being served has made."""
        note = noting(self.store.service)
        await self.store.write(lambda connection: note(connection, model_id))


class ServedExports:
    """Has models served."""

    def __init__(self, references: References, served: ServedModels, store: Store) -> None:
        self._references = references
        self._served = served
        self._ids = ServedIds(store)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.repeats = Repeats(self._ids)

    async def start(self, wanted: ExportWanted) -> str:
        """Has a model built and deployed; the workspace's id of it.

        A request that came before gets what it has made, as long as that is there. Raises
        AlreadyExists if a served model has the name, and FailedPrecondition if base and adapter do
        not go together or cannot be served.
        """
        # One after the other: who asks for a name in use waits to hear of what.
        async with self._turns.setdefault(wanted.model_name, asyncio.Lock()):
            before = self.repeats.added(wanted.key)
            if before is not None and await self._served.there(before):
                return before
            wanted.check()
            with noted(wanted.key):
                return await self._serve(wanted)

    async def _serve(self, wanted: ExportWanted) -> str:
        base, adapter = await self._references.fitting(wanted.base_model_id, wanted.adapter_id)
        return await self._served.serve(base, adapter, wanted, self._ids.note)
