"""Starts export jobs after a look at what they are to export."""

from chassis.rpc.errors import FailedPrecondition
from ft.enums import AdapterType, ExportType
from jobs.lifecycle import JobLifecycle
from jobs.workspace.capacity import require_granted
from jobs.workspace.client import Workspace
from services.models import rules
from services.models.exports import plan
from services.models.exports.adapter import AdapterChecks
from services.models.exports.names import taken
from services.models.exports.references import References
from services.models.exports.request import ExportWanted
from services.models.exports.store import ExportJob
from services.models.exports.trained import TrainedPrompts

ADAPTERS = (AdapterType.PROJECT, AdapterType.HUGGINGFACE)
"""Types of adapters whose files a job can read."""


class ExportJobs:
    """Exports by a job."""

    def __init__(
        self,
        lifecycle: JobLifecycle[ExportJob],
        references: References,
        prompts: TrainedPrompts,
        files: AdapterChecks,
        workspace: Workspace,
    ) -> None:
        self._lifecycle = lifecycle
        self._references = references
        self._prompts = prompts
        self._files = files
        self._workspace = workspace

    async def start(self, wanted: ExportWanted) -> ExportJob:
        """Starts a job that makes the export; returns once the workspace has accepted it.

        A request that came before gets what it has started. Raises AlreadyExists if the name is
        taken, and FailedPrecondition if base and adapter do not go together or cannot be read or
        used, or the adapter's prompt is not that of its training.
        """
        for job in self._lifecycle.started_before(wanted.request_id, wanted.digest):
            return job
        wanted.check()
        base, adapter = await self._references.fitting(wanted.base_model_id, wanted.adapter_id)
        if adapter.type not in ADAPTERS:
            raise FailedPrecondition.at(
                "adapter_id",
                rules.EXPORTED_ADAPTER,
                f"an adapter of type {adapter.type!r} cannot be exported, only "
                f"{' or '.join(ADAPTERS)}",
                reason="ADAPTER_NOT_EXPORTABLE",
            )
        await self._files.require_whole(base, adapter)
        if adapter.type == AdapterType.PROJECT:
            await self._prompts.require_same(adapter)
        if wanted.type == ExportType.MODEL_REGISTRY:
            await self._require_unregistered(wanted.model_name)
        template, script = await plan.template(self._workspace)
        await require_granted(self._workspace, template, plan.asked(wanted))
        [job] = await self._lifecycle.start([plan.record(wanted, template, script)])
        return job

    async def _require_unregistered(self, name: str) -> None:
        if registered := await self._workspace.registered_named(name):
            raise taken(name, registered.model_id, "in the model registry")
