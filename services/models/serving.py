"""Base models with adapters as served models of the workspace."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import structlog

from chassis.errors import FailedPrecondition, Refusal, Violations
from ft.enums import AdapterType, ModelType
from jobs import rules as of_jobs
from jobs.workspace import Workspace
from services.models import rules
from services.models.peers import AdapterFacts
from services.models.store import Model
from services.models.trained import TrainedPrompts

log = structlog.get_logger()

TEMPLATE_JOB = "Accel_Finetuning_Base_Job"
PREDICT_SCRIPT = "predict.py"
PREDICT_FUNCTION = "api_wrapper"
SERVABLE_BASES = (ModelType.HUGGINGFACE, ModelType.PROJECT)


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How a model is to be served."""

    cpu: int = 2
    """Cores."""
    memory: int = 8
    """GiB."""
    gpu: int = 1
    disable_authentication: bool = False
    """Whether the model's access key alone lets a caller in."""

    def check(self, found: Violations) -> None:
        """Add what is out of range."""
        for name, value in (("cpu", self.cpu), ("memory", self.memory)):
            found.check(name, of_jobs.RESOURCES, value > 0, f"must be above 0, not {value}")
        description = f"must not be negative, not {self.gpu}"
        found.check("gpu", of_jobs.GPUS, self.gpu >= 0, description)


class ServedModels:
    """The models that the workspace serves."""

    def __init__(self, workspace: Workspace, prompts: TrainedPrompts) -> None:
        self._workspace = workspace
        self._prompts = prompts

    async def serve(
        self,
        base: Model,
        adapter: AdapterFacts,
        name: str,
        description: str,
        generation_config: str,
        wanted: Serving,
    ) -> str:
        """Have a base with an adapter built and deployed; the id of the workspace's model.

        Raises FailedPrecondition if base or adapter are of a kind that cannot be served, or the
        adapter's prompt is not the one that it was trained with.
        """
        _require_servable(base, adapter)
        await self._prompts.require_same(adapter)
        # Asked first: without the template nothing has been created yet.
        template = await self._workspace.template(TEMPLATE_JOB)
        model = await self._workspace.create_model(
            name=name,
            description=description,
            disable_authentication=wanted.disable_authentication,
        )
        try:
            environment = _environment(base, adapter, generation_config)
            await self._build(model.id, template, _deployment(wanted, environment))
        except BaseException:
            await self._withdraw(model.id)
            raise
        return str(model.id)

    async def _build(self, model_id: str, template: Any, deployment: dict[str, Any]) -> None:
        await self._workspace.create_model_build(
            model_id,
            deployment=deployment,
            file_path=str(PurePosixPath(template.script).with_name(PREDICT_SCRIPT)),
            function_name=PREDICT_FUNCTION,
            kernel="python3",
            runtime_identifier=template.runtime_identifier,
        )

    async def _withdraw(self, model_id: str) -> None:
        """Delete a model that nothing came of."""
        try:
            await self._workspace.delete_model(model_id)
        except Refusal as refusal:
            log.warning("a model is left in the workspace", model=model_id, why=refusal.message)


def _deployment(wanted: Serving, environment: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cpu": wanted.cpu,
        "memory": wanted.memory,
        "nvidia_gpus": wanted.gpu,
        "environment": environment,
    }


def _environment(
    base: Model, adapter: AdapterFacts, generation_config: str
) -> dict[str, str | None]:
    """What the script of served models loads."""
    return {
        "FINE_TUNING_STUDIO_BASE_MODEL_HF_NAME": base.huggingface_model_name or base.location,
        "FINE_TUNING_STUDIO_ADAPTER_LOCATION": adapter.location,
        "FINE_TUNING_STUDIO_GEN_CONFIG_STRING": generation_config,
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
