"""Exports that the workspace serves: one for each name, and for each request."""

import asyncio
from weakref import WeakValueDictionary

from chassis.rpc.domain_request import RequestKey
from chassis.rpc.errors import Violations
from chassis.store.engine import Store
from chassis.store.idempotency import IdempotencyStore
from services.models.exports.references import ExportReferences
from services.models.exports.request import ExportRequest
from services.models.exports.serving import WorkspaceModels


class ServedExports:
    """Starts served models; the workspace keeps them, this domain only the requests' ids."""

    def __init__(self, references: ExportReferences, models: WorkspaceModels, store: Store) -> None:
        self._references = references
        self._models = models
        self._store = store
        self._requests = IdempotencyStore(store)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def find(self, key: RequestKey) -> str | None:
        """Returns the workspace's id of the model that the request has started.

        Raises InvalidArgument if another request has the same id.
        """
        return self._store.read(lambda connection: self._requests.find(connection, key))

    async def start(self, request: ExportRequest) -> str:
        """Builds and deploys a model; returns the workspace's id of it.

        A repeated request gets the model that it has started before, as long as that exists.
        Raises AlreadyExists if a served model has the name, and FailedPrecondition if base and
        adapter do not belong together or cannot be served.
        """

        async def save(model_id: str) -> None:
            await self._store.write(lambda c: self._requests.save(c, request.key, model_id))

        # One after the other, so that a second request for a name hears which model has it.
        async with self._turns.setdefault(request.model_name, asyncio.Lock()):
            started = self.find(request.key)
            if started is not None and await self._models.exists(started):
                return started
            found = Violations()
            request.check(found)
            found.raise_if_any()
            base, adapter = await self._references.fitting(
                request.base_model_id, request.adapter_id
            )
            return await self._models.serve(base, adapter, request, save)
