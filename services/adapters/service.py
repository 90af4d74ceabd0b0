"""The rules about adapters."""

import asyncio

from chassis.ids import new_id
from chassis.paths import ProjectPaths
from chassis.rpc import rules as general
from chassis.rpc.errors import InvalidArgument, NotFound, Violations
from ft.adapters import base as adapter_base
from ft.adapters import files
from ft.enums import AdapterType, ModelType
from ft.proto.fine_tuning_studio_pb2 import ModelMetadata
from services.adapters import rules
from services.adapters.hub import HubAdapters
from services.adapters.peers import References
from services.adapters.request import AdapterWanted
from services.adapters.store import Adapter, AdapterStore

UNIQUE = {"name": "name"}
"""The column that must be unique, with the field of the request that it is from."""


class AdapterService:
    """Registers adapters for known models; their files stay where they are."""

    def __init__(
        self,
        adapters: AdapterStore,
        paths: ProjectPaths,
        references: References,
        hub: HubAdapters,
    ) -> None:
        self._adapters = adapters
        self._paths = paths
        self._references = references
        self._hub = hub

    def get(self, id: str) -> Adapter:
        """The adapter with that id. Raises NotFound."""
        adapter = self._adapters.one(id=id)
        if adapter is None:
            raise NotFound(
                f"adapter {id!r} does not exist", resource="adapter", id=id, rule=general.EXISTS.id
            )
        return adapter

    async def add(self, wanted: AdapterWanted) -> Adapter:
        """Registers an adapter.

        AlreadyExists carries the id of the adapter that holds the name, so that a job that reports
        a second time can tell its own adapter from another's.
        """
        wanted.check(self._paths)
        self._adapters.require_free(UNIQUE, name=wanted.name)
        model = await self._references.require(
            wanted.model_id, wanted.fine_tuning_job_id, wanted.prompt_id
        )
        if wanted.type == AdapterType.HUGGINGFACE:
            commit = await self._require_on_hub(wanted, model)
        else:
            commit = ""
            await asyncio.to_thread(self._require_base, wanted, model)
        adapter = Adapter(
            id=new_id(),
            type=wanted.type,
            name=wanted.name,
            model_id=wanted.model_id,
            location=wanted.location or None,
            huggingface_name=wanted.huggingface_name or None,
            commit=commit or None,
            fine_tuning_job_id=wanted.fine_tuning_job_id or None,
            prompt_id=wanted.prompt_id or None,
        )
        await self._adapters.add(adapter, unique=UNIQUE)
        return adapter

    def notices(self, adapter: Adapter) -> list[str]:
        """What is worth knowing about a new adapter of the project, a sentence each."""
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

    async def _require_on_hub(self, wanted: AdapterWanted, model: ModelMetadata) -> str:
        """The newest commit of an adapter of the hub. Raises InvalidArgument if it is none, or
        names another model of the hub."""
        try:
            found = await self._hub.describe(wanted.huggingface_name)
        except NotFound as error:
            raise InvalidArgument.at("huggingface_name", rules.ON_HUB, error.message) from None
        named = adapter_base.of_config(found.config, self._paths.project, self._paths.project)
        self._require_named(f"adapter {wanted.huggingface_name}", named, wanted.model_id, model)
        return found.commit

    def _require_base(self, wanted: AdapterWanted, model: ModelMetadata) -> None:
        """Raises InvalidArgument if the adapter's files name another model of the hub, or hold
        weights for which the model has no place."""
        folder = self._paths.directory("location", wanted.location, Violations())
        if wanted.type != AdapterType.PROJECT or folder is None:
            return
        what = f"the adapter in {wanted.location}"
        named = adapter_base.hub_name(folder, self._paths.project)
        self._require_named(what, named, wanted.model_id, model)
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
        """Forgets an adapter; an unknown id is fine."""
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
