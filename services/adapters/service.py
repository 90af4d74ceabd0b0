"""The rules about adapters."""

import asyncio
from typing import Any

from chassis.ids import new_id
from chassis.paths import ProjectPaths
from chassis.rpc.errors import InvalidArgument, NotFound, Violations
from ft.adapters import base as adapter_base
from ft.adapters import files
from ft.enums import AdapterType, ModelType
from ft.proto.fine_tuning_studio_pb2 import ModelMetadata
from services.adapters import rules
from services.adapters.hub import HubAdapters
from services.adapters.peers import AdapterPeers
from services.adapters.request import AdapterRequest
from services.adapters.store import Adapter, AdapterStore

UNIQUE = {"name": "name"}
"""The column that must be unique, with the field of the request that it is from."""


class AdapterService:
    """Registers adapters for known models; their files stay where they are."""

    def __init__(
        self,
        adapters: AdapterStore,
        paths: ProjectPaths,
        peers: AdapterPeers,
        hub: HubAdapters,
    ) -> None:
        self._adapters = adapters
        self._paths = paths
        self._peers = peers
        self._hub = hub

    async def add(self, *, request: AdapterRequest) -> Adapter:
        """Registers an adapter; a repeated request gets the one that it has registered before.

        Raises InvalidArgument with all that is wrong, FailedPrecondition for what it refers to and
        does not exist. AlreadyExists carries the id of the adapter that holds the name, so that a
        job that reports a second time can tell its own adapter from another's.
        """
        if (added := self._adapters.added_by(request.key)) is not None:
            return added
        on_hub = request.type == AdapterType.HUGGINGFACE
        found = Violations()
        request.check(found)
        if request.location and not on_hub:
            self._paths.directory("location", request.location, found)
        found.raise_if_any()
        self._adapters.require_free(UNIQUE, request.key, name=request.name)
        model = await self._peers.require(
            request.model_id, request.fine_tuning_job_id, request.prompt_id
        )
        commit = ""
        if on_hub:
            commit = await self._require_on_hub(request, model)
        elif request.type == AdapterType.PROJECT:
            await asyncio.to_thread(self._require_base, request, model)
        given = request.values(Adapter.table().columns.keys())
        columns: dict[str, Any] = {name: value or None for name, value in given.items()}
        adapter = Adapter(id=new_id(), commit=commit or None, **columns)
        return await self._adapters.add(adapter, UNIQUE, request.key)

    def notices(self, adapter: Adapter) -> list[str]:
        """Returns notices about the files of a new adapter, a sentence each."""
        folder = None
        if adapter.type == AdapterType.PROJECT:
            folder = self._paths.directory("location", adapter.location or "", Violations())
        faults = files.of_folder(folder).faults if folder else []
        if not faults:
            return []
        base = any(folder.glob("model*.safetensors")) if folder else False
        hint = "; it looks like a base model, which fts models add registers" if base else ""
        why = "; ".join(faults)
        return [
            f"No job can load {adapter.location} as an adapter: {why}{hint} ({rules.LOADABLE.id})."
        ]

    async def _require_on_hub(self, request: AdapterRequest, model: ModelMetadata) -> str:
        """The newest commit of an adapter of the hub. Raises InvalidArgument if it is none, or
        names another model of the hub."""
        try:
            found = await self._hub.describe(request.huggingface_name)
        except NotFound as error:
            raise InvalidArgument.at("huggingface_name", rules.ON_HUB, error.message) from None
        named = adapter_base.of_config(found.config, self._paths.project, self._paths.project)
        self._require_named(f"adapter {request.huggingface_name}", named, request.model_id, model)
        return found.commit

    def _require_base(self, request: AdapterRequest, model: ModelMetadata) -> None:
        """Raises InvalidArgument if the adapter's files name another model of the hub, or hold
        weights for which the model has no place."""
        folder = self._paths.directory("location", request.location, Violations())
        if folder is None:
            return
        what = f"the adapter in {request.location}"
        named = adapter_base.hub_name(folder, self._paths.project)
        self._require_named(what, named, request.model_id, model)
        if model.type != ModelType.PROJECT:
            return
        base = self._paths.directory("location", model.location, Violations())
        said = files.incompatible_weights_in(folder, base).sentence(what) if base else ""
        if said:
            raise InvalidArgument.at("model_id", rules.FITS, said.rstrip("."))

    def _require_named(self, what: str, named: str, model_id: str, model: ModelMetadata) -> None:
        on_hub = model.type == ModelType.HUGGINGFACE
        if on_hub and named and named != model.huggingface_model_name:
            raise InvalidArgument.at(
                "model_id",
                rules.BASE_MODEL,
                f"{what} was trained on {named}, but model {model_id} is "
                f"{model.huggingface_model_name}; register {named} as a model, and set model_id "
                "to its id",
            )

    async def remove(self, id: str) -> None:
        """Removes the adapter with that id, if there is one."""
        await self._adapters.remove(id=id)

    async def note_export(
        self, id: str, registered_model_id: str, experiment_id: str, run_id: str
    ) -> None:
        """Notes where an adapter was exported to; an unknown id is fine."""
        await self._adapters.change(
            id,
            cml_registered_model_id=registered_model_id,
            mlflow_experiment_id=experiment_id,
            mlflow_run_id=run_id,
        )
