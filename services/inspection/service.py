"""Finds what a job would work with, and has it looked into."""

import asyncio

from chassis.hub.errors import Repository
from chassis.hub.questions import Hub
from chassis.paths import ProjectPaths
from chassis.rpc import context
from chassis.rpc.errors import (
    FailedPrecondition,
    NotFound,
    PermissionDenied,
    Refusal,
    Unavailable,
    Violations,
)
from chassis.rpc.findings import ERROR, NOTICE, WARNING, Findings
from chassis.rpc.rules import Rule
from ft.adapters import files as adapter_files
from ft.adapters.weight_files import Shapes
from ft.api import AdapterMetadata, AdapterType, DatasetMetadata, DatasetType, ModelMetadata
from ft.proto.inspection_pb2 import (
    AdapterSource,
    ChatTemplateSource,
    InspectionWork,
    InspectJobRequest,
    InspectJobResponse,
    WeightShape,
)
from services.inspection import rules, template_path
from services.inspection.model import adapter_weights
from services.inspection.model_files import Found, ModelFiles
from services.inspection.processes import Processes, WorkerFailed
from services.inspection.settings import TEMPLATE_PATH, JobSettings
from services.inspection.template_path import TemplatePathError

_FOR_GOOD = (FailedPrecondition, NotFound, PermissionDenied)


class InspectionService:
    """Looks into jobs; keeps nothing."""

    def __init__(
        self,
        files: ModelFiles,
        paths: ProjectPaths,
        hub: Hub,
        processes: Processes,
        deadline_seconds: float,
    ) -> None:
        self._files = files
        self._paths = paths
        self._hub = hub
        self._processes = processes
        self._deadline_seconds = deadline_seconds

    async def inspect(self, request: InspectJobRequest) -> InspectJobResponse:
        """What is to be expected of the job; what is wrong with it is in the findings.

        Raises ResourceExhausted and DeadlineExceeded as `Processes.run` does.
        """
        findings = Findings()
        model, reachable = await asyncio.gather(
            self._model(request.model, findings), self._data(request.dataset, findings)
        )
        work = self._work(request, model)
        found = {one.id: await self._adapter(one, findings) for one in request.adapters}
        work.adapters.extend(one for one in found.values() if one is not None)
        work.chat_templates.extend(await self._chat_templates(request, findings))
        if not reachable:
            work.request.ClearField("dataset")
        response = await self._looked(work, findings)
        return InspectJobResponse(
            findings=[*findings.found, *response.findings],
            data=response.data if response.HasField("data") else None,
            memory=response.memory if response.HasField("memory") else None,
        )

    async def _looked(self, work: InspectionWork, findings: Findings) -> InspectJobResponse:
        try:
            return await self._processes.run(work)
        except WorkerFailed as error:
            description = f"the data could not be looked into: its reader ended with {error}"
            findings.add(WARNING, "dataset_id", rules.READABLE, description)
            return InspectJobResponse()

    def _work(self, request: InspectJobRequest, model: Found) -> InspectionWork:
        return InspectionWork(
            request=request,
            project=str(self._paths.project),
            model_files={name: str(path) for name, path in model.files.items()},
            weights=_shapes(model.weights),
            seconds=context.current(self._deadline_seconds).remaining(),
        )

    async def _chat_templates(
        self, request: InspectJobRequest, findings: Findings
    ) -> list[ChatTemplateSource]:
        """Of a training the template that its settings name, if they do; of an evaluation those
        that it asks with."""
        settings = JobSettings(request)
        if settings.tuning:
            path = settings.training.get(TEMPLATE_PATH)
            named = isinstance(path, str) and path
            return [await self._named_template(str(path), findings)] if named else []
        found = [await self._chat_template(adapter) for adapter in request.adapters]
        if request.alone:
            alone = ChatTemplateSource(alone=True)
            if request.HasField("comparison_adapter"):
                alone.MergeFrom(await self._chat_template(request.comparison_adapter))
            found.append(alone)
        return found

    async def _named_template(self, path: str, findings: Findings) -> ChatTemplateSource:
        """The template that settings name; without files, and noted, if it is not at hand."""
        field = "training_arguments_config"
        try:
            files = await template_path.find(path, self._paths, self._hub)
        except TemplatePathError as error:
            findings.add(ERROR, field, rules.TEMPLATE_PATH, str(error))
            return ChatTemplateSource(on_hub=True)
        except Refusal as refusal:
            _note(findings, field, rules.TEMPLATE_PATH, refusal, TEMPLATE_PATH)
            return ChatTemplateSource(on_hub=True)
        return ChatTemplateSource(files={name: str(file) for name, file in files.items()})

    async def _chat_template(self, adapter: AdapterMetadata) -> ChatTemplateSource:
        on_hub = adapter.type == AdapterType.HUGGINGFACE
        files = {} if on_hub else (await self._files.adapter(adapter)).files
        return ChatTemplateSource(
            adapter=adapter.name,
            files={name: str(path) for name, path in files.items()},
            on_hub=on_hub,
        )

    async def _adapter(self, adapter: AdapterMetadata, findings: Findings) -> AdapterSource | None:
        """Where its files lie; None, and noted, if nobody can load them."""
        try:
            found = await self._files.adapter(adapter)
        except Refusal as refusal:
            _note(findings, adapter_weights.FIELD, rules.ADAPTERS, refusal)
            return None
        if found.missing:
            said = adapter_files.not_loadable(f"Adapter {adapter.name}", [found.missing])
            findings.add(ERROR, adapter_weights.FIELD, rules.ADAPTERS, said.removesuffix("."))
            return None
        return AdapterSource(
            name=adapter.name,
            files={name: str(path) for name, path in found.files.items()},
            weights=_shapes(found.weights),
            on_hub=adapter.type == AdapterType.HUGGINGFACE,
        )

    async def _model(self, model: ModelMetadata, findings: Findings) -> Found:
        try:
            found = await self._files.find(model)
        except Refusal as refusal:
            _note(findings, "base_model_id", rules.MODEL_FILES, refusal)
            return Found()
        if found.missing:
            findings.add(ERROR, "base_model_id", rules.MODEL_FILES, found.missing)
        return found

    async def _data(self, dataset: DatasetMetadata, findings: Findings) -> bool:
        """Whether the data may be read; noted if not."""
        if dataset.type != DatasetType.HUGGINGFACE:
            found = Violations()
            self._paths.confined("dataset_id", dataset.location, found)
            for violation in found.found:
                findings.add(ERROR, violation.field, rules.READABLE, violation.description)
            return not found.found
        about = Repository("dataset", dataset.huggingface_name, dataset.commit)
        try:
            await self._hub.ask(about, lambda: self._hub.require(about))
        except Refusal as refusal:
            _note(findings, "dataset_id", rules.READABLE, refusal)
            return False
        return True


def _shapes(weights: Shapes) -> list[WeightShape]:
    return [WeightShape(name=name, shape=one) for name, one in weights.items()]


def _note(findings: Findings, field: str, rule: Rule, refusal: Refusal, subject: str = "") -> None:
    if isinstance(refusal, Unavailable):
        description = f"{subject or 'it'} was not looked at: {refusal.message}"
        findings.add(NOTICE, field, rule, description)
    elif isinstance(refusal, _FOR_GOOD):
        said = f"{subject}: {refusal.message}" if subject else refusal.message
        findings.add(ERROR, field, rule, said)
    else:
        raise refusal
