"""Starts exports after a look at what they are to export."""

from dataclasses import dataclass

from chassis.rpc.errors import FailedPrecondition, Violations
from ft.enums import AdapterType, ExportType
from jobs.lifecycle import JobLifecycle
from jobs.workspace.capacity import require_granted
from jobs.workspace.client import Workspace
from services.models import rules
from services.models.exports import plan
from services.models.exports.adapter import AdapterChecks
from services.models.exports.names import taken
from services.models.exports.references import ExportReferences
from services.models.exports.request import ExportRequest
from services.models.exports.served import ServedExports
from services.models.exports.store import ExportJob
from services.models.exports.trained import TrainedPrompts

ADAPTERS = (AdapterType.PROJECT, AdapterType.HUGGINGFACE)
"""Types of adapters whose files a job can read."""


@dataclass(frozen=True, slots=True)
class StartedExport:
    """An export that has been started: the id of its job, or of the workspace's served model."""

    job_id: str = ""
    model_id: str = ""


class ExportService:
    """Exports by a job, and to models that the workspace serves."""

    def __init__(
        self,
        lifecycle: JobLifecycle[ExportJob],
        served: ServedExports,
        references: ExportReferences,
        prompts: TrainedPrompts,
        files: AdapterChecks,
        workspace: Workspace,
    ) -> None:
        self._lifecycle = lifecycle
        self._served = served
        self._references = references
        self._prompts = prompts
        self._files = files
        self._workspace = workspace

    async def start(self, *, request: ExportRequest) -> StartedExport:
        """Starts an export; a repeated request gets what it has started before.

        Raises InvalidArgument if another request has the same id, whatever it has exported to.
        """
        if request.by_job:
            self._served.find(request.key)
            return StartedExport(job_id=(await self._start_job(request)).id)
        self._lifecycle.started_by(request.key)
        return StartedExport(model_id=await self._served.start(request))

    async def _start_job(self, request: ExportRequest) -> ExportJob:
        """Starts a job that makes the export; returns once the workspace has accepted it.

        Raises AlreadyExists if the name is taken, and FailedPrecondition if base and adapter do
        not belong together or cannot be read or used, or the adapter's prompt is not that of its
        training.
        """
        if started := self._lifecycle.started_by(request.key):
            return started[0]
        found = Violations()
        request.check(found)
        found.raise_if_any()
        base, adapter = await self._references.fitting(request.base_model_id, request.adapter_id)
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
        if request.type == ExportType.MODEL_REGISTRY:
            name = request.model_name
            if registered := await self._workspace.registered_named(name):
                raise taken(name, registered.model_id, "in the model registry")
        template, script = await plan.template(self._workspace)
        await require_granted(self._workspace, template, plan.asked(request))
        [job] = await self._lifecycle.start([plan.record(request, template, script)])
        return job
