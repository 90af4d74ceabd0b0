"""What must hold for a job to be started. Every check raises, and none changes anything."""

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
from services.fine_tuning.peers import Peers
from services.fine_tuning.request import JobRequest
from services.fine_tuning.store import FineTuningJob, FineTuningStore, name_taken


@dataclass(frozen=True, slots=True)
class References:
    """What a request refers to."""

    model: ModelMetadata
    dataset: DatasetMetadata
    prompt: PromptMetadata | None
    """None where one is yet to be found."""
    axolotl: AxolotlData | None
    """None where Axolotl does not do the training."""


class Checks:
    """The checks of a request, each of what the others do not need."""

    def __init__(
        self, jobs: FineTuningStore, peers: Peers, paths: ProjectPaths, workspace: Workspace
    ) -> None:
        self._jobs = jobs
        self._peers = peers
        self._paths = paths
        self._workspace = workspace

    def request(self, request: JobRequest) -> None:
        """The request by itself, and its paths. Raises InvalidArgument with all that is wrong."""
        found = Violations()
        request.check(found)
        if request.output_dir:
            self._paths.directory("output_dir", request.output_dir, found)
            self._paths.writable("output_dir", request.output_dir, found)
        # What a job reports lies in the project, wherever its adapter goes.
        self._paths.writable("output_dir", "", found)
        if request.user_script:
            self._paths.file("user_script", request.user_script, found)
        found.raise_if_any()

    async def available(self, request: JobRequest) -> None:
        """Raises Unimplemented for what the studio cannot do, FailedPrecondition for what jobs of
        the workspace cannot.

        A workspace that does not say what its jobs can, or does not answer, is given the job.
        """
        if not request.is_axolotl:
            return
        if request.num_workers > 1:
            description = "training with Axolotl is available on one worker"
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
                f"there is {', '.join(found)}",
                reason="FRAMEWORK_NOT_INSTALLED",
            )

    async def granted(self, request: JobRequest) -> list[str]:
        """Raises FailedPrecondition for a job that could never run where it would have to.

        Returns what its workers share there, a sentence each.
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

    async def still_granted(self, job: FineTuningJob) -> None:
        """The same for a job that was started before."""
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

    async def name(self, adapter_name: str, job_id: str = "") -> None:
        """Raises AlreadyExists if an adapter, or another job that may make one, has the name.

        `job_id` is the job that is to make the adapter: one that it has registered is its own.
        """
        holder = await self._peers.adapter_named(adapter_name)
        if holder is not None and (not job_id or holder.fine_tuning_job_id != job_id):
            raise name_taken(adapter_name, f"adapter {holder.id}", holder.id)
        self._jobs.require_name(adapter_name, job_id)

    async def references(self, request: JobRequest) -> References:
        """What the request refers to.

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
            lookups["axolotl_config_id"] = self._axolotl(request.axolotl_config_id, dataset)
        if request.prompt_id:
            lookups["prompt_id"] = self._prompt(request, dataset)
        asked = (referred(field, lookup) for field, lookup in lookups.items())
        found = dict(zip(lookups, await all_referred(*asked), strict=True))
        return References(
            model=found["base_model_id"],
            dataset=found["dataset_id"],
            prompt=found.get("prompt_id"),
            axolotl=found.get("axolotl_config_id"),
        )

    async def _axolotl(self, config_id: str, dataset: Awaitable[DatasetMetadata]) -> AxolotlData:
        stored = await self._peers.config(config_id)
        # In a thread: a long YAML text takes a second, in which others want their answers.
        content = await asyncio.to_thread(axolotl.parsed, stored.config)
        config = axolotl.read(content)
        if stored.type != ConfigType.AXOLOTL:
            raise _without_format(stored)
        columns, _, _ = await all_referred(
            self._columns(stored, config, dataset),
            _require_adapter(stored, config),
            _require_settings(content),
        )
        return AxolotlData(config, columns)

    async def _columns(
        self, stored: ConfigMetadata, config: AxolotlConfig, dataset: Awaitable[DatasetMetadata]
    ) -> Sequence[str]:
        if not config.format:
            raise _without_format(stored)
        columns = await self._peers.columns_of_format(config.format)
        # Of a dataset that is not there, that alone is told.
        with suppress(NotFound):
            _check_columns(config.format, columns, await dataset)
        return columns

    async def _prompt(
        self, request: JobRequest, dataset: Awaitable[DatasetMetadata]
    ) -> PromptMetadata:
        prompt = await self._peers.prompt(request.prompt_id)
        # Of a dataset that is not there, that alone is told.
        with suppress(NotFound):
            await dataset
            if prompt.dataset_id != request.dataset_id:
                raise FailedPrecondition.at(
                    "prompt_id",
                    rules.PROMPT_OF_DATASET,
                    f"prompt {request.prompt_id!r} is written for dataset {prompt.dataset_id!r}, "
                    f"not for {request.dataset_id!r}",
                    reason="PROMPT_OF_OTHER_DATASET",
                )
        _require_loss(request, prompt)
        return prompt


def _without_format(stored: ConfigMetadata) -> FailedPrecondition:
    return FailedPrecondition.at(
        "axolotl_config_id",
        rules.AXOLOTL_FORMAT,
        f"config {stored.id!r} is no axolotl config that names `datasets[0].type`",
        reason="AXOLOTL_FORMAT_MISSING",
    )


async def _require_adapter(stored: ConfigMetadata, config: AxolotlConfig) -> None:
    if not config.adapter:
        description = f"config {stored.id!r} does not say which `adapter` it trains"
        raise FailedPrecondition.at("axolotl_config_id", rules.AXOLOTL_ADAPTER, description)


async def _require_settings(content: Any) -> None:
    if wrong := await asyncio.to_thread(axolotl_settings.faults, content):
        found = Violations()
        for fault in wrong:
            found.add("axolotl_config_id", rules.AXOLOTL_SETTINGS, fault)
        raise FailedPrecondition.of(found.found, reason="AXOLOTL_SETTINGS_UNFIT")


def _check_columns(format: str, columns: Sequence[str], dataset: DatasetMetadata) -> None:
    there = json.loads(dataset.features or "[]")
    if not columns:
        why = f"no format {format!r} is known"
    elif missing := [column for column in columns if column not in there]:
        why = (
            f"format {format!r} has the columns {', '.join(columns)}, and dataset "
            f"{dataset.name!r} lacks {', '.join(missing)}"
        )
    else:
        return
    raise FailedPrecondition.at(
        "axolotl_config_id", rules.AXOLOTL_COLUMNS, why, reason="AXOLOTL_FORMAT_DOES_NOT_FIT"
    )


def _require_loss(request: JobRequest, prompt: PromptMetadata) -> None:
    if request.user_script:
        return
    templates = (prompt.prompt_template, prompt.input_template, prompt.completion_template)
    if wrong := prompt_conflicts(request.training_settings, *templates):
        description = "; ".join(wrong)
        raise FailedPrecondition.at(
            "prompt_id", rules.LOSS_OF_PROMPT, description, reason="PROMPT_UNFIT_FOR_LOSS"
        )
