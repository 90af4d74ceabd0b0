"""Base models with adapters as served models of the workspace."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

import structlog

from chassis.rpc.errors import FailedPrecondition, Refusal
from ft.enums import AdapterType, ModelType
from ft.job_protocol import template_jobs
from ft.job_protocol.variables import SERVED_ADAPTER, SERVED_BASE, SERVED_GENERATION
from jobs.workspace.client import Workspace
from services.models import rules
from services.models.exports.adapter import AdapterChecks
from services.models.exports.names import taken
from services.models.exports.request import ExportWanted
from services.models.exports.trained import TrainedPrompts
from services.models.peers import AdapterFacts
from services.models.store import Model

log = structlog.get_logger()

SERVABLE_BASES = (ModelType.HUGGINGFACE, ModelType.PROJECT)


class ServedModels:
    """The models that the workspace serves."""

    def __init__(self, workspace: Workspace, prompts: TrainedPrompts, files: AdapterChecks) -> None:
        self._workspace = workspace
        self._prompts = prompts
        self._files = files

    async def there(self, model_id: str) -> bool:
        """Whether the workspace has the model, built. Of one whose maker ended before it was,
        nothing is left."""
        if await self._workspace.model(model_id) is None:
            return False
        if await self._workspace.model_builds(model_id):
            return True
        await self._workspace.delete_model(model_id)
        return False

    async def serve(
        self,
        base: Model,
        adapter: AdapterFacts,
        wanted: ExportWanted,
        note: Callable[[str], Awaitable[None]],
    ) -> str:
        """Has a base with an adapter built and deployed; the id of the workspace's model, which
        `note` is given as soon as it is known.

        Raises AlreadyExists if a model of the workspace has the name, FailedPrecondition if base or
        adapter are of a kind that cannot be served, the adapter's files cannot be used, or its
        prompt is not the one that it was trained with.
        """
        _require_servable(base, adapter)
        await self._files.require_whole(base, adapter)
        await self._prompts.require_same(adapter)
        # Asked first: without the template nothing has been created yet.
        template = await self._workspace.template(template_jobs.FINE_TUNING)
        model = await self._created(wanted)
        try:
            await note(str(model.id))
            # A workspace takes a name twice, and another process may have asked for it meanwhile.
            await self._require_first(wanted.model_name, str(model.id))
            environment = _environment(base, adapter, wanted.generation_config or "{}")
            await self._build(model.id, template, _deployment(wanted, environment))
        except BaseException:
            await self._withdraw(model.id)
            raise
        return str(model.id)

    async def _created(self, wanted: ExportWanted) -> Any:
        await self._require_first(wanted.model_name)
        return await self._workspace.create_model(
            name=wanted.model_name,
            description=wanted.model_description,
            disable_authentication=wanted.disable_authentication,
        )

    async def _require_first(self, name: str, model_id: str = "") -> None:
        first = await self._workspace.first_model(name)
        if first is not None and first.id != model_id:
            raise taken(name, str(first.id), "among the models that the workspace serves")

    async def _build(self, model_id: str, template: Any, deployment: dict[str, Any]) -> None:
        await self._workspace.create_model_build(
            model_id,
            deployment=deployment,
            file_path=str(PurePosixPath(template.script).with_name(template_jobs.SERVING_SCRIPT)),
            function_name=template_jobs.SERVING_FUNCTION,
            kernel="python3",
            runtime_identifier=template.runtime_identifier,
        )

    async def _withdraw(self, model_id: str) -> None:
        """Delete a model that nothing came of."""
        try:
            await self._workspace.delete_model(model_id)
        except Refusal as refusal:
            log.warning("a model is left in the workspace", model=model_id, why=refusal.message)


def _deployment(wanted: ExportWanted, environment: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cpu": wanted.cpu.value,
        "memory": wanted.memory.value,
        "nvidia_gpus": wanted.gpu.value,
        "environment": environment,
    }


def _environment(
    base: Model, adapter: AdapterFacts, generation_config: str
) -> dict[str, str | None]:
    """What the script of served models loads."""
    return {
        SERVED_BASE: base.huggingface_model_name or base.location,
        SERVED_ADAPTER: adapter.location,
        SERVED_GENERATION: generation_config,
    }


def _require_servable(base: Model, adapter: AdapterFacts) -> None:
    bases = [kind.value for kind in SERVABLE_BASES]
    if base.type not in bases:
        raise FailedPrecondition.at(
            "base_model_id",
            rules.SERVABLE_BASE,
            f"a base model of type {base.type!r} cannot be served, only {' or '.join(bases)}",
            reason="MODEL_NOT_SERVABLE",
        )
    if adapter.type != AdapterType.PROJECT:
        raise FailedPrecondition.at(
            "adapter_id",
            rules.SERVABLE_ADAPTER,
            f"an adapter of type {adapter.type!r} cannot be served, only {AdapterType.PROJECT}",
            reason="ADAPTER_NOT_SERVABLE",
        )
