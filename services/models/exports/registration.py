"""Registers the models that export jobs have made."""

from contextlib import suppress
from dataclasses import dataclass

from chassis.rpc.errors import AlreadyExists, InvalidArgument, NotFound, Violations
from ft.enums import ExportType, ModelType
from ft.job_protocol.files import MERGED_FOLDER
from jobs.execution.report_receiver import ReportReceiver
from jobs.workspace.client import Workspace
from services.models.exports.names import taken
from services.models.exports.store import ExportJob, ExportStore
from services.models.peers import ModelPeers
from services.models.request import ModelRequest
from services.models.service import ModelService
from services.models.store import Model, ModelStore


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """The place in MLflow where a job has logged a model."""

    experiment_id: str
    run_id: str
    path: str

    def check(self, found: Violations) -> None:
        """Adds each field that is missing."""
        found.required("mlflow_experiment_id", self.experiment_id)
        found.required("mlflow_run_id", self.run_id)
        found.required("mlflow_model_path", self.path)


class ExportRegistration:
    """Registers exports. Each step finds what an earlier call has done, whose answer was lost."""

    def __init__(
        self,
        receiver: ReportReceiver[ExportJob],
        jobs: ExportStore,
        service: ModelService,
        models: ModelStore,
        peers: ModelPeers,
        workspace: Workspace,
    ) -> None:
        self._receiver = receiver
        self._jobs = jobs
        self._service = service
        self._models = models
        self._peers = peers
        self._workspace = workspace

    async def register(self, job_id: str, token: str, logged: LoggedModel) -> Model:
        """Registers the model that the job has made, and returns it.

        Raises Unauthenticated unless the token is the job's, AlreadyExists if the name has been
        taken meanwhile.
        """
        job = self._receiver.holder(job_id, token)
        if job.model_id:
            return self._models.get(job.model_id)
        if job.type == ExportType.MERGED:
            location = f"{job.folder()}/{MERGED_FOLDER}"
            asked = ModelRequest(type=ModelType.PROJECT, location=location, name=job.model_name)
            model = await self._add(asked, location=location)
            await self._jobs.change(job.id, model_id=model.id)
            return model
        found = Violations()
        logged.check(found)
        found.raise_if_any()
        return await self._register_logged(job, logged)

    async def _register_logged(self, job: ExportJob, logged: LoggedModel) -> Model:
        # MLflow may be the workspace's registry, so that the model is there already.
        registered = await self._workspace.registered_named(job.model_name)
        if registered is None:
            registered = await self._workspace.register_model(
                model_name=job.model_name,
                description=job.model_description,
                experiment_id=logged.experiment_id,
                run_id=logged.run_id,
                model_path=logged.path,
            )
        else:
            metadata = [one.model_version_metadata for one in registered.model_versions or ()]
            runs = [m.mlflow_metadata.run_id for m in metadata if m and m.mlflow_metadata]
            if logged.run_id not in runs:
                refusal = taken(job.model_name, registered.model_id, "in the model registry")
                raise refusal.about("job_id")
        registry_id = str(registered.model_id)
        asked = ModelRequest(type=ModelType.MODEL_REGISTRY, model_registry_id=registry_id)
        model = await self._add(asked, cml_registered_model_id=registry_id)
        with suppress(NotFound):  # The adapter may have been removed meanwhile.
            await self._peers.note_export(
                job.adapter_id, registry_id, logged.experiment_id, logged.run_id
            )
        await self._jobs.change(
            job.id,
            model_id=model.id,
            cml_registered_model_id=registry_id,
            mlflow_experiment_id=logged.experiment_id,
            mlflow_run_id=logged.run_id,
        )
        return model

    async def _add(self, request: ModelRequest, **same: str) -> Model:
        """Adds a model, or returns the one with the `same` columns that was added before."""
        try:
            return await self._service.add(request=request)
        except AlreadyExists as refusal:
            known = self._models.one(**same)
            if known is None:
                raise refusal.about("job_id") from None
            return known
        except InvalidArgument as refusal:
            raise refusal.about("job_id") from None
