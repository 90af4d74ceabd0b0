"""Makes a model of the studio of what an export job has made."""

from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chassis.rpc.errors import AlreadyExists, InvalidArgument, NotFound, Violations
from ft.enums import ExportType
from ft.job_protocol.files import MERGED_FOLDER
from jobs.execution.report_receiver import ReportReceiver
from jobs.workspace.client import Workspace
from services.models.exports.names import taken
from services.models.exports.store import ExportJob, ExportStore
from services.models.peers import Adapters
from services.models.service import ModelService
from services.models.store import Model, ModelStore


@dataclass(frozen=True, slots=True)
class Made:
    """Where in MLflow a job has logged a model."""

    experiment_id: str
    run_id: str
    path: str

    def check(self) -> None:
        """Raises InvalidArgument with all that is missing."""
        found = Violations()
        found.required("mlflow_experiment_id", self.experiment_id)
        found.required("mlflow_run_id", self.run_id)
        found.required("mlflow_model_path", self.path)
        found.raise_if_any()


class Registration:
    """Registers exports. Each step finds what an earlier call has done, whose answer was lost."""

    def __init__(
        self,
        receiver: ReportReceiver[ExportJob],
        jobs: ExportStore,
        models: ModelService,
        known: ModelStore,
        adapters: Adapters,
        workspace: Workspace,
    ) -> None:
        self._receiver = receiver
        self._jobs = jobs
        self._models = models
        self._known = known
        self._adapters = adapters
        self._workspace = workspace

    async def register(self, job_id: str, token: str, made: Made) -> Model:
        """The model that the job's export is from now on.

        Raises Unauthenticated unless the token is the job's, AlreadyExists if the name has been
        taken meanwhile.
        """
        job = self._receiver.holder(job_id, token)
        if job.model_id:
            return self._models.get(job.model_id)
        if job.type == ExportType.MERGED:
            return await self._merged(job)
        made.check()
        return await self._registered(job, made)

    async def _merged(self, job: ExportJob) -> Model:
        location = f"{job.folder()}/{MERGED_FOLDER}"
        adding = self._models.add_from_directory(location, job.model_name)
        model = await self._added(adding, location=location)
        await self._jobs.change(job.id, model_id=model.id)
        return model

    async def _registered(self, job: ExportJob, made: Made) -> Model:
        registry_id = await self._registry_id(job, made)
        adding = self._models.add_from_registry(registry_id)
        model = await self._added(adding, cml_registered_model_id=registry_id)
        with suppress(NotFound):  # An adapter that is removed meanwhile takes no export with it.
            await self._adapters.note_export(
                job.adapter_id, registry_id, made.experiment_id, made.run_id
            )
        await self._jobs.change(
            job.id,
            model_id=model.id,
            cml_registered_model_id=registry_id,
            mlflow_experiment_id=made.experiment_id,
            mlflow_run_id=made.run_id,
        )
        return model

    async def _registry_id(self, job: ExportJob, made: Made) -> str:
        """Of the model in the workspace's registry, where it is put unless it is there: MLflow may
        be that registry."""
        registered = await self._workspace.registered_named(job.model_name)
        if registered is None:
            registered = await self._workspace.register_model(
                model_name=job.model_name,
                description=job.model_description,
                experiment_id=made.experiment_id,
                run_id=made.run_id,
                model_path=made.path,
            )
        elif made.run_id not in _runs(registered):
            raise taken(job.model_name, registered.model_id, "in the model registry").about(
                "job_id"
            )
        return str(registered.model_id)

    async def _added(self, adding: Awaitable[Model], **same: str) -> Model:
        try:
            return await adding
        except AlreadyExists as refusal:
            found = self._known.one(**same)
            if found is None:
                raise refusal.about("job_id") from None
            return found
        except InvalidArgument as refusal:
            raise refusal.about("job_id") from None


def _runs(registered: Any) -> list[str]:
    """The runs that a registered model's versions come from."""
    metadata = [one.model_version_metadata for one in registered.model_versions or ()]
    return [one.mlflow_metadata.run_id for one in metadata if one and one.mlflow_metadata]
