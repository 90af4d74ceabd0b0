"""The rules about base models."""

import asyncio
from typing import Any

from chassis.ids import new_id
from chassis.paths import ProjectPaths
from chassis.rpc import rules as general
from chassis.rpc.errors import FailedPrecondition, InvalidArgument, NotFound, Violations
from ft.enums import ModelFrameworkType, ModelType
from jobs.workspace.client import Workspace
from services.models import model_config, rules
from services.models.hub import HubModels
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

    def get(self, id: str) -> Model:
        """The model with that id. Raises NotFound."""
        model = self._models.one(id=id)
        if model is None:
            raise NotFound(
                f"model {id!r} does not exist", resource="model", id=id, rule=general.EXISTS.id
            )
        return model

    async def add_from_hub(self, huggingface_name: str) -> Model:
        """Registers a model of the hub under its name there."""
        found = Violations()
        name = found.required("huggingface_name", huggingface_name)
        found.raise_if_any()
        self._models.require_free(ON_HUB, name=name)
        try:
            commit = await self._hub.require(name)
        except NotFound as error:
            raise InvalidArgument.at("huggingface_name", rules.ON_HUB, error.message) from None
        model = Model(
            id=new_id(),
            type=ModelType.HUGGINGFACE,
            name=name,
            huggingface_model_name=name,
            commit=commit or None,
        )
        await self._models.add(model, unique=ON_HUB)
        return model

    async def add_from_directory(self, location: str, name: str) -> Model:
        """Registers a directory that `save_pretrained` made; its name is the default name."""
        found = Violations()
        location = found.required("location", location)
        path = self._paths.directory("location", location, found) if location else None
        found.raise_if_any()
        assert path is not None
        try:
            await asyncio.to_thread(model_config.read, path / model_config.CONFIG_FILE)
        except model_config.ConfigFault as fault:
            description = f"{location!r} {fault}"
            raise InvalidArgument.at("location", rules.LOADABLE, description) from fault
        model = Model(
            id=new_id(),
            type=ModelType.PROJECT,
            framework=ModelFrameworkType.PYTORCH,
            name=name.strip() or path.name,
            location=location,
        )
        await self._models.add(model, unique={"name": "name"})
        return model

    async def add_from_registry(self, model_registry_id: str) -> Model:
        """Registers a model of the workspace's model registry."""
        found = Violations()
        registry_id = found.required("model_registry_id", model_registry_id)
        found.raise_if_any()
        self._models.require_free(REGISTERED, cml_registered_model_id=registry_id)
        try:
            registered = await self._workspace.registered_model(registry_id)
        except NotFound as error:
            raise InvalidArgument.at("model_registry_id", rules.REGISTERED, error.message) from None
        experiment_id, run_id = _mlflow_ids(registered)
        model = Model(
            id=new_id(),
            type=ModelType.MODEL_REGISTRY,
            name=registered.name,
            cml_registered_model_id=registered.model_id,
            mlflow_experiment_id=experiment_id,
            mlflow_run_id=run_id,
        )
        await self._models.add(model, unique=REGISTERED)
        return model

    async def remove(self, id: str) -> None:
        """Forgets a model; an unknown id is fine."""
        await self._models.remove(id=id)

    async def family(self, model_id: str, name: str) -> str:
        """The first architecture of a model, found by its id or by its name.

        A name that is not registered is looked for on the hub. Empty if the model's config names
        no architecture, or if it lies in the model registry, where there is none to read. Raises
        NotFound if there is no such model, FailedPrecondition if its config is unusable.
        """
        model = self.get(model_id) if model_id else self._models.named(name)
        if model is None:
            return await self._hub.family(name)
        if model.location:
            return self._local_family(model.location)
        if model.huggingface_model_name:
            return await self._hub.family(model.huggingface_model_name)
        return ""

    def _local_family(self, location: str) -> str:
        path = self._paths.confined("location", location, Violations())
        try:
            if path is None:
                raise model_config.ConfigFault("lies outside the project directory")
            return model_config.family(model_config.read(path / model_config.CONFIG_FILE))
        except model_config.ConfigFault as fault:
            raise FailedPrecondition(
                f"the model's directory {location!r} {fault}", reason="MODEL_CONFIG_UNUSABLE"
            ) from fault


def _mlflow_ids(registered: Any) -> tuple[str | None, str | None]:
    """Experiment and run behind a registered model's first version, where it has them."""
    versions = registered.model_versions or ()
    metadata = versions[0].model_version_metadata if versions else None
    mlflow = metadata.mlflow_metadata if metadata else None
    return (mlflow.experiment_id, mlflow.run_id) if mlflow else (None, None)
