"""Base models with adapters as served models of the workspace."""

from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath

import structlog

from chassis.rpc.errors import FailedPrecondition, Refusal
from ft.enums import AdapterType, ModelType
from ft.job_protocol import template_jobs
from ft.job_protocol.variables import SERVED_ADAPTER, SERVED_BASE, SERVED_GENERATION
from jobs.workspace.client import Workspace
from services.models import rules
from services.models.exports.adapter import AdapterChecks
from services.models.exports.names import taken
from services.models.exports.request import ExportRequest
from services.models.exports.trained import TrainedPrompts
from services.models.peers import AdapterFacts
from services.models.store import Model

log = structlog.get_logger()

SERVABLE_BASES = (ModelType.HUGGINGFACE, ModelType.PROJECT)


class WorkspaceModels:
    """The models that the workspace serves."""

    def __init__(self, workspace: Workspace, prompts: TrainedPrompts, files: AdapterChecks) -> None:
        self._workspace = workspace
        self._prompts = prompts
        self._files = files

    async def exists(self, model_id: str) -> bool:
        """Tells whether the workspace has the model and a build of it.

        Deletes a model without a build: the process that started it has ended too early.
        """
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
        request: ExportRequest,
        save: Callable[[str], Awaitable[None]],
    ) -> str:
        """Builds and deploys a base with an adapter; returns the id of the workspace's model.

        `save` is called with the id as soon as it is known.

        Raises AlreadyExists if a model of the workspace has the name, FailedPrecondition if base or
        adapter are of a kind that cannot be served, the adapter's files cannot be used, or its
        prompt is not the one that it was trained with.
        """
        _require_servable(base, adapter)
        await self._files.require_whole(base, adapter)
        await self._prompts.require_same(adapter)
        # Asked first: without the template nothing has been created yet.
        template = await self._workspace.template(template_jobs.FINE_TUNING)
        await self._require_first(request.model_name)
        model = await self._workspace.create_model(
            name=request.model_name,
            description=request.model_description,
            disable_authentication=request.disable_authentication,
        )
        try:
            await save(str(model.id))
            # A workspace takes a name twice, and another process may have asked for it meanwhile.
            await self._require_first(request.model_name, str(model.id))
            await self._workspace.create_model_build(
                model.id,
                deployment={
                    "cpu": request.cpu.value,
                    "memory": request.memory.value,
                    "nvidia_gpus": request.gpu.value,
                    "environment": {
                        SERVED_BASE: base.huggingface_model_name or base.location,
                        SERVED_ADAPTER: adapter.location,
                        SERVED_GENERATION: request.generation_config or "{}",
                    },
                },
                file_path=str(
                    PurePosixPath(template.script).with_name(template_jobs.SERVING_SCRIPT)
                ),
                function_name=template_jobs.SERVING_FUNCTION,
                kernel="python3",
                runtime_identifier=template.runtime_identifier,
            )
        except BaseException:
            await self._withdraw(model.id)
            raise
        return str(model.id)

    async def _require_first(self, name: str, model_id: str = "") -> None:
        first = await self._workspace.first_model(name)
        if first is not None and first.id != model_id:
            raise taken(name, str(first.id), "among the models that the workspace serves")

    async def _withdraw(self, model_id: str) -> None:
        """Deletes a model whose build could not be started."""
        try:
            await self._workspace.delete_model(model_id)
        except Refusal as refusal:
            log.warning("a model is left in the workspace", model=model_id, why=refusal.message)


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
