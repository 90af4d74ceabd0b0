"""The rules about datasets."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path

from chassis.ids import new_id
from chassis.paths import ProjectPaths
from chassis.rpc import rules as general
from chassis.rpc.errors import InvalidArgument, NotFound, Violations
from ft import data_files
from ft.enums import DatasetType
from rows.cache.cache_folder import CacheFolder
from rows.errors import DataError
from rows.files import formats
from rows.files.reader import Columns
from services.datasets import conversations, features, roles_text, rules
from services.datasets.hub import HubDatasets
from services.datasets.peers import Prompts
from services.datasets.store import Dataset, DatasetStore

ON_HUB = {"name": "huggingface_name"}
"""The column that must be unique, with the field of the request that it is from."""

_LOCAL = frozenset(DatasetType) - {DatasetType.HUGGINGFACE}


class DatasetService:
    """Registers datasets after a look at their columns; rows are not loaded."""

    def __init__(
        self, datasets: DatasetStore, paths: ProjectPaths, hub: HubDatasets, prompts: Prompts
    ) -> None:
        self._datasets = datasets
        self._paths = paths
        self._hub = hub
        self._prompts = prompts
        self._looking = asyncio.Lock()

    def get(self, id: str) -> Dataset:
        """The dataset with that id. Raises NotFound."""
        dataset = self._datasets.one(id=id)
        if dataset is None:
            raise NotFound(
                f"dataset {id!r} does not exist", resource="dataset", id=id, rule=general.EXISTS.id
            )
        return dataset

    async def add(
        self,
        type: str,
        huggingface_name: str,
        location: str,
        name: str,
        roles: Mapping[str, str] | None = None,
    ) -> Dataset:
        """Registers a dataset of one of the DatasetType kinds. `roles` says what roles of its
        conversations stand for."""
        found = Violations()
        kept = roles_text.checked(roles or {}, found)
        found.raise_if_any()
        if type == DatasetType.HUGGINGFACE:
            return await self._add_from_hub(huggingface_name, kept)
        return await self._add_local(type, location, name, kept)

    async def remove(self, id: str, remove_prompts: bool) -> None:
        """Forgets a dataset; an unknown id is fine.

        Its prompts go first: if their service is away, nothing has happened yet.
        """
        if remove_prompts:
            await self._prompts.remove_of_dataset(id)
        await self._datasets.remove(id=id)
        await self.forget_rows()

    async def forget_rows(self) -> None:
        """Removes what jobs have kept of files that no dataset refers to."""
        locations = [dataset.location or "" for dataset in self._datasets.all()]
        await asyncio.to_thread(CacheFolder(self._paths.project).keep_only, locations)

    async def notices(self, dataset: Dataset) -> list[str]:
        """Notices about how a newly registered dataset is read."""
        if dataset.type == DatasetType.HUGGINGFACE or not dataset.location:
            return []
        path = self._paths.project / dataset.location
        form = formats.of(dataset.type or "", dataset.location)
        roles = roles_text.read(dataset.roles)
        try:
            told = (await asyncio.to_thread(features.look, path, form)).notices
            if form is not None:
                told += await asyncio.to_thread(conversations.notices, path, form, roles)
            elif found := features.first_file(path):
                told += await asyncio.to_thread(conversations.notices, *found, roles)
        except (features.DataFault, DataError, OSError):
            return []  # The file has changed since; a job tells.
        return told

    async def find_columns(self, id: str, seconds: float) -> Columns:
        """The columns of all rows of a local file, as far as they can be read in so many seconds.
        Raises NotFound."""
        dataset = self.get(id)
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

    async def _add_from_hub(self, huggingface_name: str, roles: str | None) -> Dataset:
        found = Violations()
        name = found.required("huggingface_name", huggingface_name)
        found.raise_if_any()
        self._datasets.require_free(ON_HUB, name=name)
        try:
            described = await self._hub.describe(name)
        except NotFound as error:
            raise InvalidArgument.at("huggingface_name", rules.ON_HUB, error.message) from None
        dataset = Dataset(
            id=new_id(),
            type=DatasetType.HUGGINGFACE,
            name=name,
            huggingface_name=name,
            description=described.description,
            features=json.dumps(described.features),
            commit=described.commit or None,
            roles=roles,
        )
        await self._datasets.add(dataset, unique=ON_HUB)
        return dataset

    async def _add_local(self, type: str, location: str, name: str, roles: str | None) -> Dataset:
        found = Violations()
        found.one_of("type", type, DatasetType)
        name = found.required("name", name)
        location = found.required("location", location)
        path = self._path(type, location, found) if location and type in list(DatasetType) else None
        found.raise_if_any()
        assert path is not None
        try:
            # By the name that was asked for: a link may lead to a file with another ending.
            columns = await asyncio.to_thread(features.look, path, formats.of(type, location))
        except features.DataFault as fault:
            description = f"{location}: {fault}"
            raise InvalidArgument.at("location", rules.READABLE, description) from fault
        dataset = Dataset(
            id=new_id(),
            type=type,
            name=name,
            location=location,
            description=location,
            features=json.dumps(columns.names),
            roles=roles,
        )
        await self._datasets.add(dataset, unique={"name": "name"})
        return dataset

    def _path(self, type: str, location: str, found: Violations) -> Path | None:
        if advice := formats.advice(location):
            found.add("location", rules.FILE_SUFFIX, f"{location!r}: {advice}")
            return None
        if type == DatasetType.PROJECT:
            is_file = formats.of(type, location) is not None
            ask = self._paths.file if is_file else self._paths.directory
            return ask("location", location, found)
        kind = DatasetType(type)
        fits = data_files.fits(kind, location)
        found.check("location", rules.FILE_SUFFIX, fits, formats.wanted(kind, location))
        return self._paths.file("location", location, found)
