"""The rules about datasets."""

import asyncio
import json
import time

from chassis.ids import new_id
from chassis.paths import ProjectPaths
from chassis.rpc.errors import InvalidArgument, NotFound, Violations
from ft.enums import DatasetType
from rows.cache.cache_folder import CacheFolder
from rows.errors import DataError
from rows.files import formats
from rows.files.reader import Columns
from services.datasets import conversations, features, roles_text, rules
from services.datasets.hub import HubDatasets
from services.datasets.peers import DatasetPeers
from services.datasets.request import DatasetRequest
from services.datasets.store import Dataset, DatasetStore

ON_HUB = {"name": "huggingface_name"}
"""The column that must be unique, with the field of the request that it is from."""

_LOCAL = frozenset(DatasetType) - {DatasetType.HUGGINGFACE}


class DatasetService:
    """Registers datasets after a look at their columns; rows are not loaded."""

    def __init__(
        self, datasets: DatasetStore, paths: ProjectPaths, hub: HubDatasets, peers: DatasetPeers
    ) -> None:
        self._datasets = datasets
        self._paths = paths
        self._hub = hub
        self._peers = peers
        self._looking = asyncio.Lock()

    async def add(self, *, request: DatasetRequest) -> Dataset:
        """Registers a dataset; a repeated request gets the one that it has registered before.

        Raises InvalidArgument with all that is wrong, AlreadyExists if the name is taken.
        """
        if (added := self._datasets.added_by(request.key)) is not None:
            return added
        found = Violations()
        request.check(found)
        if request.type == DatasetType.HUGGINGFACE:
            found.raise_if_any()
            return await self._add_from_hub(request)
        return await self._add_local(request, found)

    async def remove(self, id: str, remove_prompts: bool) -> None:
        """Removes the dataset with that id, if there is one.

        Its prompts are removed first: if their service cannot be reached, nothing is removed.
        """
        if remove_prompts:
            await self._peers.remove_prompts(id)
        await self._datasets.remove(id=id)
        await self.forget_rows()

    async def forget_rows(self) -> None:
        """Removes what jobs have kept of files that no dataset refers to."""
        keep_only = CacheFolder(self._paths.project).keep_only
        await asyncio.to_thread(keep_only, self._datasets.locations())

    async def notices(self, dataset: Dataset) -> list[str]:
        """Notices about how a newly registered dataset is read."""
        if dataset.type == DatasetType.HUGGINGFACE or not dataset.location:
            return []
        path = self._paths.project / dataset.location
        form = formats.of(dataset.type or "", dataset.location)
        roles = roles_text.read(dataset.roles)
        try:
            found_notices = (await asyncio.to_thread(features.look, path, form)).notices
            if form is not None:
                found_notices += await asyncio.to_thread(conversations.notices, path, form, roles)
            elif found := features.first_file(path):
                found_notices += await asyncio.to_thread(conversations.notices, *found, roles)
        except (features.DataFault, DataError, OSError):
            return []  # The file has changed since; jobs that use it report it.
        return found_notices

    async def find_columns(self, id: str, seconds: float) -> Columns:
        """The columns of all rows of a local file, as far as they can be read in so many seconds.
        Raises NotFound."""
        dataset = self._datasets.get(id)
        location = dataset.location or ""
        if not location or dataset.type not in _LOCAL:
            return Columns([], [])
        found = Violations()
        path = self._paths.confined("location", location, found)
        if path is None or not path.exists():
            return Columns([], [], unread=f"{location} no longer exists")
        form = formats.of(dataset.type, location) if path.is_file() else None
        async with self._looking:
            try:
                until = time.monotonic() + seconds
                return await asyncio.to_thread(features.look_through, path, form, until)
            except features.DataFault as fault:
                return Columns([], [], unread=f"{location}: {fault}")

    async def _add_from_hub(self, request: DatasetRequest) -> Dataset:
        name = request.huggingface_name
        self._datasets.require_free(ON_HUB, request.key, name=name)
        try:
            described = await self._hub.describe(name)
        except NotFound as error:
            raise InvalidArgument.at("huggingface_name", rules.ON_HUB, error.message) from None
        dataset = Dataset(
            id=new_id(),
            type=request.type,
            name=name,
            huggingface_name=name,
            description=described.description,
            features=json.dumps(described.features),
            commit=described.commit or None,
            roles=roles_text.stored(request.roles),
        )
        return await self._datasets.add(dataset, ON_HUB, request.key)

    async def _add_local(self, request: DatasetRequest, found: Violations) -> Dataset:
        location, path, form = request.location, None, None
        # A location that has a remedy is refused already.
        if location and request.type in list(DatasetType) and not formats.advice(location):
            form = formats.of(request.type, location)
            is_file = request.type != DatasetType.PROJECT or form is not None
            resolve = self._paths.file if is_file else self._paths.directory
            path = resolve("location", location, found)
        found.raise_if_any()
        assert path is not None
        try:
            # By the name that was asked for: a link may lead to a file with another ending.
            columns = await asyncio.to_thread(features.look, path, form)
        except features.DataFault as fault:
            description = f"{location}: {fault}"
            raise InvalidArgument.at("location", rules.READABLE, description) from fault
        dataset = Dataset(
            id=new_id(),
            type=request.type,
            name=request.name,
            location=location,
            description=location,
            features=json.dumps(columns.names),
            roles=roles_text.stored(request.roles),
        )
        return await self._datasets.add(dataset, {"name": "name"}, request.key)
