"""Checks of a request to start a job. A check that fails raises; none changes anything."""

import asyncio
import json
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chassis.paths import ProjectPaths
from chassis.rpc.errors import FailedPrecondition, NotFound, Refusal, Unimplemented, Violations
from chassis.rpc.peers import all_referred, referred
from ft.configs.training import prompt_conflicts
from ft.enums import ConfigType
from ft.proto.fine_tuning_studio_pb2 import (
    ConfigMetadata,
    DatasetMetadata,
    ModelMetadata,
    PromptMetadata,
)
from jobs.workspace.capacity import RequestedResources, require_granted
from jobs.workspace.client import Workspace
from jobs.workspace.frameworks import frameworks
from services.fine_tuning import axolotl, axolotl_settings, plan, rules
from services.fine_tuning.axolotl import AxolotlConfig, AxolotlData
from services.fine_tuning.peers import FineTuningPeers
from services.fine_tuning.request import FineTuningRequest
from services.fine_tuning.store import FineTuningJob, FineTuningStore, name_taken


@dataclass(frozen=True, slots=True)
class FineTuningReferences:
    """The records of other domains that a request refers to."""

    model: ModelMetadata
    dataset: DatasetMetadata
    prompt: PromptMetadata | None
    """None if the request names none."""
    axolotl: AxolotlData | None
    """None if Axolotl does not do the training."""


class FineTuningChecks:
    """Checks of a request that are independent of each other."""

    def __init__(
        self,
        jobs: FineTuningStore,
        peers: FineTuningPeers,
        paths: ProjectPaths,
        workspace: Workspace,
    ) -> None:
        self._jobs = jobs
        self._peers = peers
        self._paths = paths
        self._workspace = workspace

    def check_request(self, request: FineTuningRequest) -> None:
        """Checks the request by itself, and its paths.

        Raises InvalidArgument with all that is wrong.
        """
        found = Violations()
        request.check(found)
        if request.output_dir:
            self._paths.directory("output_dir", request.output_dir, found)
            self._paths.writable("output_dir", request.output_dir, found)
        # The job's reports are written into the project, wherever its adapter is saved.
        self._paths.writable("output_dir", "", found)
        if request.user_script:
            self._paths.file("user_script", request.user_script, found)
        found.raise_if_any()

    async def require_available(self, request: FineTuningRequest) -> None:
        """Raises Unimplemented for a training that the studio does not support.

        Raises FailedPrecondition for a framework that is not installed in the workspace. Passes if
        the workspace does not answer, or does not list its frameworks.
        """
        if not request.is_axolotl:
            return
        if request.num_workers > 1:
            description = f"must be 1 for a training with Axolotl, not {request.num_workers}"
            raise Unimplemented.at("num_workers", rules.AVAILABLE, description)
        try:
            found = frameworks(await self._workspace.template(plan.template(request)))
        except Refusal:
            return
        if found and request.framework_type not in found:
            raise FailedPrecondition.at(
                "framework_type",
                rules.AVAILABLE,
                f"{request.framework_type} is not installed where jobs run; "
                f"installed: {', '.join(found)}",
                reason="FRAMEWORK_NOT_INSTALLED",
            )

    async def require_granted(self, request: FineTuningRequest) -> list[str]:
        """Raises FailedPrecondition for a job that the workspace could never run.

        Returns notices about resources that the job's workers share, a sentence each.
        """
        cpu, gpu, memory = plan.resources(request)
        asked = RequestedResources(
            cpu=cpu,
            memory=memory,
            gpu=gpu,
            label=request.gpu_label_id,
            workers=request.num_workers,
            own_script=not request.user_script,
            fields={
                "label": "gpu_label_id",
                **{one.name: one.field for one in (request.cpu, request.gpu, request.memory)},
            },
        )
        return await require_granted(self._workspace, plan.template(request), asked)

    async def require_still_granted(self, job: FineTuningJob) -> None:
        """Raises FailedPrecondition if the workspace can no longer run an existing job."""
        asked = RequestedResources(
            cpu=job.num_cpu or 0,
            memory=job.num_memory or 0,
            gpu=job.num_gpu or 0,
            label=job.gpu_label_id,
            workers=job.num_workers or 1,
            own_script=not job.user_script,
            fields=dict.fromkeys(("cpu", "memory", "gpu", "label"), "id"),
        )
        template = plan.TEMPLATES.get(job.framework_type or "", plan.DEFAULT_TEMPLATE)
        await require_granted(self._workspace, template, asked)

    async def require_name(self, adapter_name: str, job_id: str = "") -> None:
        """Raises AlreadyExists if an adapter, or another job that may make one, has the name.

        `job_id` is the job that makes the adapter. An adapter that it has registered is its own.
        """
        holder = await self._peers.adapter_named(adapter_name)
        if holder is not None and (not job_id or holder.fine_tuning_job_id != job_id):
            raise name_taken(adapter_name, f"adapter {holder.id}", holder.id)
        self._jobs.require_name(adapter_name, job_id)

    async def find_references(self, request: FineTuningRequest) -> FineTuningReferences:
        """Returns the records that the request refers to.

        Raises FailedPrecondition naming every reference that does not exist or does not fit.
        """
        dataset = asyncio.create_task(self._peers.dataset(request.dataset_id))
        lookups: dict[str, Awaitable[Any]] = {
            "base_model_id": self._peers.model(request.base_model_id),
            "dataset_id": dataset,
        }
        if request.user_config_id:
            lookups["user_config_id"] = self._peers.config(request.user_config_id)
        if request.is_axolotl:
            lookups["axolotl_config_id"] = self._find_axolotl(request.axolotl_config_id, dataset)
        if request.prompt_id:
            lookups["prompt_id"] = self._find_prompt(request, dataset)
        records = await all_referred(*(referred(field, one) for field, one in lookups.items()))
        found = dict(zip(lookups, records, strict=True))
        return FineTuningReferences(
            model=found["base_model_id"],
            dataset=found["dataset_id"],
            prompt=found.get("prompt_id"),
            axolotl=found.get("axolotl_config_id"),
        )

    async def _find_axolotl(
        self, config_id: str, dataset: Awaitable[DatasetMetadata]
    ) -> AxolotlData:
        """Returns the data of an Axolotl config that fits Axolotl's schema and the dataset."""
        stored = await self._peers.config(config_id)
        # In a thread: a long YAML text takes a second, in which others want their answers.
        content = await asyncio.to_thread(axolotl.parsed, stored.config)
        config = axolotl.read(content)
        if stored.type != ConfigType.AXOLOTL:
            raise _without_format(stored)
        columns, _, _ = await all_referred(
            self._find_columns(stored, config, dataset),
            _require_adapter(stored, config),
            _require_settings(content),
        )
        return AxolotlData(config, columns)

    async def _find_columns(
        self, stored: ConfigMetadata, config: AxolotlConfig, dataset: Awaitable[DatasetMetadata]
    ) -> Sequence[str]:
        """Returns the columns of the config's format, all of which the dataset has."""
        if not config.format:
            raise _without_format(stored)
        columns = await self._peers.columns_of_format(config.format)
        with suppress(NotFound):  # A missing dataset is a violation of its own field.
            record = await dataset
            missing = set(columns) - set(json.loads(record.features or "[]"))
            if columns and not missing:
                return columns
            why = f"no axolotl_dataset_formats config describes the format {config.format!r}"
            if columns:
                lacking = ", ".join(column for column in columns if column in missing)
                why = (
                    f"format {config.format!r} has the columns {', '.join(columns)}, and dataset "
                    f"{record.name!r} lacks {lacking}"
                )
            raise FailedPrecondition.at(
                "axolotl_config_id",
                rules.AXOLOTL_COLUMNS,
                why,
                reason="AXOLOTL_FORMAT_DOES_NOT_FIT",
            )
        return columns

    async def _find_prompt(
        self, request: FineTuningRequest, dataset: Awaitable[DatasetMetadata]
    ) -> PromptMetadata:
        """Returns the prompt, which is written for the dataset and fits the request's loss."""
        prompt = await self._peers.prompt(request.prompt_id)
        with suppress(NotFound):  # A missing dataset is a violation of its own field.
            await dataset
            if prompt.dataset_id != request.dataset_id:
                raise FailedPrecondition.at(
                    "prompt_id",
                    rules.PROMPT_OF_DATASET,
                    f"prompt {request.prompt_id!r} is written for dataset {prompt.dataset_id!r}, "
                    f"not for {request.dataset_id!r}",
                    reason="PROMPT_OF_OTHER_DATASET",
                )
        templates = (prompt.prompt_template, prompt.input_template, prompt.completion_template)
        unfit = (
            [] if request.user_script else prompt_conflicts(request.training_settings, *templates)
        )
        if unfit:
            raise FailedPrecondition.at(
                "prompt_id",
                rules.LOSS_OF_PROMPT,
                "; ".join(unfit),
                reason="PROMPT_UNFIT_FOR_LOSS",
            )
        return prompt


def _without_format(stored: ConfigMetadata) -> FailedPrecondition:
    return FailedPrecondition.at(
        "axolotl_config_id",
        rules.AXOLOTL_FORMAT,
        f"config {stored.id!r} is not of type axolotl, or does not set `datasets[0].type`",
        reason="AXOLOTL_FORMAT_MISSING",
    )


async def _require_adapter(stored: ConfigMetadata, config: AxolotlConfig) -> None:
    if not config.adapter:
        description = f"config {stored.id!r} does not set `adapter`, such as lora"
        raise FailedPrecondition.at("axolotl_config_id", rules.AXOLOTL_ADAPTER, description)


async def _require_settings(content: Any) -> None:
    if wrong := await asyncio.to_thread(axolotl_settings.faults, content):
        found = Violations()
        for fault in wrong:
            found.add("axolotl_config_id", rules.AXOLOTL_SETTINGS, fault)
        raise FailedPrecondition.of(found.found, reason="AXOLOTL_SETTINGS_UNFIT")
