"""Hands a base model with an adapter to where it is served."""

from chassis.errors import Violations
from ft.enums import ExportType
from jobs.settings import check_settings
from jobs.workspace import Workspace
from services.models.references import References
from services.models.serving import ServedModels, Serving


class ModelExport:
    """Exports to the workspace."""

    def __init__(self, references: References, workspace: Workspace) -> None:
        self._references = references
        self._served = ServedModels(workspace)

    async def export(
        self,
        type: str,
        base_model_id: str,
        adapter_id: str,
        model_name: str,
        description: str,
        generation_config: str,
        serving: Serving,
    ) -> str:
        """Has a model served, and returns the workspace's id of it.

        For the other types of exports see `services.models.exports`.

        Raises FailedPrecondition if base and adapter do not go together or cannot be served.
        """
        found = Violations()
        found.one_of("type", type, ExportType)
        found.required("base_model_id", base_model_id)
        found.required("adapter_id", adapter_id)
        model_name = found.required("model_name", model_name)
        if generation_config:
            config = found.json_object("generation_config", generation_config)
            check_settings("generation_config", config or {}, found)
        serving.check(found)
        found.raise_if_any()
        base, adapter = await self._references.fitting(base_model_id, adapter_id)
        return await self._served.serve(
            base, adapter, model_name, description, generation_config or "{}", serving
        )
