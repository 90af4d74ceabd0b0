"""The rules about base models."""

import asyncio
from pathlib import Path

from chassis.ids import new_id
from chassis.paths import ProjectPaths
from chassis.rpc.errors import FailedPrecondition, InvalidArgument, NotFound, Violations
from ft.enums import ModelFrameworkType, ModelType
from jobs.workspace.client import Workspace
from services.models import model_config, rules
from services.models.hub import HubModels
from services.models.request import ModelRequest
from services.models.store import Model, ModelStore

ON_HUB = {"name": "huggingface_name", "huggingface_model_name": "huggingface_name"}
REGISTERED = {"cml_registered_model_id": "model_registry_id"}
"""Columns that must be unique, with the fields of the request that they are from."""


class ModelService:
    """Registers base models after a look at them; weights are not loaded."""

    def __init__(
        self, models: ModelStore, paths: ProjectPaths, hub: HubModels, workspace: Workspace
    ) -> None:
        self._models = models
        self._paths = paths
        self._hub = hub
        self._workspace = workspace

    async def add(self, *, request: ModelRequest) -> Model:
        """Registers a model; a repeated request gets the one that it has registered before.

        Raises InvalidArgument with all that is wrong, AlreadyExists if the name is taken.
        """
        if (added := self._models.added_by(request.key)) is not None:
            return added
        found = Violations()
        request.check(found)
        path = None
        if request.type == ModelType.PROJECT and request.location:
            path = self._paths.directory("location", request.location, found)
        found.raise_if_any()
        if path is not None:
            return await self._add_from_directory(request, path)
        if request.type == ModelType.HUGGINGFACE:
            return await self._add_from_hub(request)
        return await self._add_from_registry(request)

    async def _add_from_hub(self, request: ModelRequest) -> Model:
        name = request.huggingface_name
        self._models.require_free(ON_HUB, request.key, name=name)
        try:
            commit = await self._hub.require(name)
        except NotFound as error:
            raise InvalidArgument.at("huggingface_name", rules.ON_HUB, error.message) from None
        model = Model(
            id=new_id(),
            type=request.type,
            name=name,
            huggingface_model_name=name,
            commit=commit or None,
        )
        return await self._models.add(model, ON_HUB, request.key)

    async def _add_from_directory(self, request: ModelRequest, path: Path) -> Model:
        try:
            await asyncio.to_thread(model_config.read, path / model_config.CONFIG_FILE)
        except model_config.ConfigFault as fault:
            description = f"{request.location!r} {fault}"
            raise InvalidArgument.at("location", rules.LOADABLE, description) from fault
        model = Model(
            id=new_id(),
            type=request.type,
            framework=ModelFrameworkType.PYTORCH,
            name=request.name or path.name,
            location=request.location,
        )
        return await self._models.add(model, {"name": "name"}, request.key)

    async def _add_from_registry(self, request: ModelRequest) -> Model:
        registry_id = request.model_registry_id
        self._models.require_free(REGISTERED, request.key, cml_registered_model_id=registry_id)
        try:
            registered = await self._workspace.registered_model(registry_id)
        except NotFound as error:
            raise InvalidArgument.at("model_registry_id", rules.REGISTERED, error.message) from None
        # Experiment and run of the first version, if they are known.
        versions = registered.model_versions or ()
        metadata = versions[0].model_version_metadata if versions else None
        mlflow = metadata.mlflow_metadata if metadata else None
        model = Model(
            id=new_id(),
            type=request.type,
            name=registered.name,
            cml_registered_model_id=registered.model_id,
            mlflow_experiment_id=mlflow.experiment_id if mlflow else None,
            mlflow_run_id=mlflow.run_id if mlflow else None,
        )
        return await self._models.add(model, REGISTERED, request.key)

    async def remove(self, id: str) -> None:
        """Removes the model with that id, if there is one."""
        await self._models.remove(id=id)

    async def family(self, model_id: str, name: str) -> str:
        """The first architecture of a model, found by its id or by its name.

        A name that is not registered is looked for on the hub. Empty if the model's config names
        no architecture, or if it lies in the model registry, where there is none to read. Raises
        NotFound if there is no such model, FailedPrecondition if its config is unusable.
        """
        model = self._models.get(model_id) if model_id else self._models.named(name)
        if model is None:
            return await self._hub.family(name)
        if not model.location:
            on_hub = model.huggingface_model_name
            return await self._hub.family(on_hub) if on_hub else ""
        path = self._paths.confined("location", model.location, Violations())
        try:
            if path is None:
                raise model_config.ConfigFault("lies outside the project directory")
            return model_config.family(model_config.read(path / model_config.CONFIG_FILE))
        except model_config.ConfigFault as fault:
            raise FailedPrecondition(
                f"the model's directory {model.location!r} {fault}", reason="MODEL_CONFIG_UNUSABLE"
            ) from fault
