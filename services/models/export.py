"""Hands a base model with an adapter to where it is served."""

from pathlib import PurePosixPath
from typing import Any

from chassis.errors import FailedPrecondition, Violations
from ft.enums import AdapterType, ExportType, ModelType
from jobs.workspace import Workspace
from services.models import rules
from services.models.peers import AdapterFacts
from services.models.references import References
from services.models.store import Model

TEMPLATE_JOB = "Accel_Finetuning_Base_Job"
PREDICT_SCRIPT = "predict.py"
PREDICT_FUNCTION = "api_wrapper"
SERVABLE_BASES = (ModelType.HUGGINGFACE, ModelType.PROJECT)
DEPLOYMENT: dict[str, Any] = {"cpu": 2, "memory": 8, "nvidia_gpus": 1}
"""CPU cores, GiB and GPUs of a served model."""


class ModelExport:
    """Exports to the workspace."""

    def __init__(self, references: References, workspace: Workspace) -> None:
        self._references = references
        self._workspace = workspace

    async def export(
        self,
        type: str,
        base_model_id: str,
        adapter_id: str,
        model_name: str,
        description: str,
        generation_config: str,
    ) -> None:
        """Has a model served; for the other types of exports see `services.models.exports`.

        Raises FailedPrecondition if base and adapter do not go together or cannot be served.
        """
        found = Violations()
        found.one_of("type", type, ExportType)
        found.required("base_model_id", base_model_id)
        found.required("adapter_id", adapter_id)
        model_name = found.required("model_name", model_name)
        if generation_config:
            found.json_object("generation_config", generation_config)
        found.raise_if_any()
        base, adapter = await self._references.fitting(base_model_id, adapter_id)
        _require_servable(base, adapter)
        await self._serve(base, adapter, model_name, description, generation_config or "{}")

    async def _serve(
        self,
        base: Model,
        adapter: AdapterFacts,
        model_name: str,
        description: str,
        generation_config: str,
    ) -> None:
        # Asked first: without the template nothing has been created yet.
        template = await self._workspace.template(TEMPLATE_JOB)
        script = PurePosixPath(template.script).with_name(PREDICT_SCRIPT)
        environment = {
            "FINE_TUNING_STUDIO_BASE_MODEL_HF_NAME": base.huggingface_model_name or base.location,
            "FINE_TUNING_STUDIO_ADAPTER_LOCATION": adapter.location,
            "FINE_TUNING_STUDIO_GEN_CONFIG_STRING": generation_config,
        }
        model = await self._workspace.create_model(name=model_name, description=description)
        await self._workspace.create_model_build(
            model.id,
            deployment={**DEPLOYMENT, "environment": environment},
            file_path=str(script),
            function_name=PREDICT_FUNCTION,
            kernel="python3",
            runtime_identifier=template.runtime_identifier,
        )


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
