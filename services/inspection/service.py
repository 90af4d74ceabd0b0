"""Finds the files and data of a job, and runs the process that inspects them."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from chassis.hub.errors import Repository
from chassis.hub.questions import Hub
from chassis.paths import ProjectPaths
from chassis.rpc import context
from chassis.rpc.errors import (
    FailedPrecondition,
    NotFound,
    PermissionDenied,
    Unavailable,
    Violations,
)
from chassis.rpc.findings import ERROR, NOTICE, WARNING, Findings
from chassis.rpc.rules import Rule
from ft.adapters import files as adapter_files
from ft.adapters.weight_files import Shapes
from ft.api import AdapterMetadata, AdapterType, DatasetMetadata, DatasetType
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
from services.inspection.model_files import FoundFiles, ModelFiles
from services.inspection.processes import InspectionProcesses, WorkerFailed
from services.inspection.settings import TEMPLATE_PATH, JobSettings
from services.inspection.template_path import TemplatePathError

T = TypeVar("T")
_FOR_GOOD = (FailedPrecondition, NotFound, PermissionDenied)


class InspectionService:
    """Inspects jobs; stores nothing."""

    def __init__(
        self,
        files: ModelFiles,
        paths: ProjectPaths,
        hub: Hub,
        processes: InspectionProcesses,
        deadline_seconds: float,
    ) -> None:
        self._files = files
        self._paths = paths
        self._hub = hub
        self._processes = processes
        self._deadline_seconds = deadline_seconds

    async def inspect(self, request: InspectJobRequest) -> InspectJobResponse:
        """Returns the findings about a job, and estimates of its data and memory.

        Raises ResourceExhausted and DeadlineExceeded as `InspectionProcesses.run` does.
        """
        findings = Findings()
        found, reachable = await asyncio.gather(
            _try(self._files.find(request.model), findings, "base_model_id", rules.MODEL_FILES),
            self._check_dataset(request.dataset, findings),
        )
        model = found or FoundFiles()
        if model.missing:
            findings.add(ERROR, "base_model_id", rules.MODEL_FILES, model.missing)
        work = InspectionWork(
            request=request,
            project=str(self._paths.project),
            model_files={name: str(path) for name, path in model.files.items()},
            weights=_shapes(model.weights),
            seconds=context.current(self._deadline_seconds).remaining(),
        )
        adapters = {one.id: await self._find_adapter(one, findings) for one in request.adapters}
        work.adapters.extend(one for one in adapters.values() if one is not None)
        work.chat_templates.extend(await self._find_chat_templates(request, findings))
        if not reachable:
            work.request.ClearField("dataset")
        response = InspectJobResponse()
        try:
            response = await self._processes.run(work)
        except WorkerFailed as error:
            description = f"the data was not checked: the inspection process ended with {error}"
            findings.add(WARNING, "dataset_id", rules.READABLE, description)
        return InspectJobResponse(
            findings=[*findings.found, *response.findings],
            data=response.data if response.HasField("data") else None,
            memory=response.memory if response.HasField("memory") else None,
        )

    async def _check_dataset(self, dataset: DatasetMetadata, findings: Findings) -> bool:
        """Returns False, with a finding, if the data cannot be read."""
        if dataset.type != DatasetType.HUGGINGFACE:
            found = Violations()
            self._paths.confined("dataset_id", dataset.location, found)
            for violation in found.found:
                findings.add(ERROR, violation.field, rules.READABLE, violation.description)
            return not found.found
        about = Repository("dataset", dataset.huggingface_name, dataset.commit)

        def exists() -> bool:
            self._hub.require(about)
            return True

        asked = self._hub.ask(about, exists)
        return await _try(asked, findings, "dataset_id", rules.READABLE) or False

    async def _find_adapter(
        self, adapter: AdapterMetadata, findings: Findings
    ) -> AdapterSource | None:
        """The files of an adapter; None, with a finding, if no job can load them."""
        asked = self._files.adapter(adapter)
        found = await _try(asked, findings, adapter_weights.FIELD, rules.ADAPTERS)
        if found is None:
            return None
        if found.missing:
            fault = adapter_files.not_loadable(f"Adapter {adapter.name}", [found.missing])
            findings.add(ERROR, adapter_weights.FIELD, rules.ADAPTERS, fault.removesuffix("."))
            return None
        return AdapterSource(
            name=adapter.name,
            files={name: str(path) for name, path in found.files.items()},
            weights=_shapes(found.weights),
            on_hub=adapter.type == AdapterType.HUGGINGFACE,
        )

    async def _find_chat_templates(
        self, request: InspectJobRequest, findings: Findings
    ) -> list[ChatTemplateSource]:
        """The template that the settings of a training name, if they do, or the templates with
        which an evaluation asks. One that is not at hand has no files, and a finding."""
        settings = JobSettings(request)
        if settings.tuning:
            path = settings.training.get(TEMPLATE_PATH)
            if not isinstance(path, str) or not path:
                return []
            field = "training_arguments_config"
            asked = template_path.find(path, self._paths, self._hub)
            try:
                files = await _try(asked, findings, field, rules.TEMPLATE_PATH, TEMPLATE_PATH)
            except TemplatePathError as error:
                findings.add(ERROR, field, rules.TEMPLATE_PATH, str(error))
                files = None
            if files is None:
                return [ChatTemplateSource(on_hub=True)]
            return [ChatTemplateSource(files={name: str(file) for name, file in files.items()})]
        found = [await self._chat_template(adapter) for adapter in request.adapters]
        if request.alone:
            alone = ChatTemplateSource(alone=True)
            if request.HasField("comparison_adapter"):
                alone.MergeFrom(await self._chat_template(request.comparison_adapter))
            found.append(alone)
        return found

    async def _chat_template(self, adapter: AdapterMetadata) -> ChatTemplateSource:
        on_hub = adapter.type == AdapterType.HUGGINGFACE
        files = {} if on_hub else (await self._files.adapter(adapter)).files
        return ChatTemplateSource(
            adapter=adapter.name,
            files={name: str(path) for name, path in files.items()},
            on_hub=on_hub,
        )


def _shapes(weights: Shapes) -> list[WeightShape]:
    return [WeightShape(name=name, shape=one) for name, one in weights.items()]


async def _try(
    asked: Awaitable[T], findings: Findings, field: str, rule: Rule, subject: str = ""
) -> T | None:
    """Awaits an answer; returns None, with a finding that begins with `subject`, if it is refused.

    Raises a refusal that is not about the job.
    """
    try:
        return await asked
    except Unavailable as refusal:
        description = f"{subject or field} was not checked: {refusal.message}"
        findings.add(NOTICE, field, rule, description)
    except _FOR_GOOD as refusal:
        description = f"{subject}: {refusal.message}" if subject else refusal.message
        findings.add(ERROR, field, rule, description)
    return None
