"""What must hold for a job to be started. Every check raises, and none changes anything."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import yaml

from chassis.errors import (
    AlreadyExists,
    FailedPrecondition,
    NotFound,
    Unimplemented,
    Violations,
)
from chassis.paths import ProjectPaths
from chassis.peers import all_referred, referred
from ft.enums import ConfigType
from ft.proto.fine_tuning_studio_pb2 import (
    ConfigMetadata,
    DatasetMetadata,
    ModelMetadata,
    PromptMetadata,
)
from ft.training import of_prompt
from services.fine_tuning import rules
from services.fine_tuning.peers import Peers
from services.fine_tuning.request import JobRequest
from services.fine_tuning.store import FineTuningStore


def _dataset_format(text: str) -> str:
    """The format of the first dataset of an Axolotl config; empty if it names none."""
    try:
        content = yaml.safe_load(text)
        return str(content["datasets"][0]["type"] or "")
    except (yaml.YAMLError, ValueError, TypeError, LookupError, RecursionError):
        return ""


@dataclass(frozen=True, slots=True)
class References:
    """What a request refers to."""

    model: ModelMetadata
    dataset: DatasetMetadata
    prompt: PromptMetadata | None
    """None where the training needs none."""


class Checks:
    """The checks of a request, each of what the others do not need."""

    def __init__(self, jobs: FineTuningStore, peers: Peers, paths: ProjectPaths) -> None:
        self._jobs = jobs
        self._peers = peers
        self._paths = paths

    def request(self, request: JobRequest) -> None:
        """The request by itself, and its paths. Raises InvalidArgument with all that is wrong."""
        found = Violations()
        request.check(found)
        if request.output_dir:
            self._paths.directory("output_dir", request.output_dir, found)
        if request.user_script:
            self._paths.file("user_script", request.user_script, found)
        found.raise_if_any()

    def available(self, request: JobRequest) -> None:
        """Raises Unimplemented for what the studio cannot do yet."""
        if request.is_axolotl:
            description = "training with Axolotl is not available yet"
            raise Unimplemented.at("framework_type", rules.AVAILABLE, description)

    async def name(self, request: JobRequest) -> None:
        """Raises AlreadyExists if an adapter or a job has the adapter's name."""
        holder = await self._peers.adapter_named(request.adapter_name)
        if holder is not None:
            raise AlreadyExists(
                f"adapter_name: {request.adapter_name!r} is taken by adapter {holder}",
                reason="ADAPTER_NAME_TAKEN",
                field="adapter_name",
                holder_id=holder,
                rule=rules.ADAPTER_NAME_FREE.id,
            )
        self._jobs.require_free(adapter_name=request.adapter_name)

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
            lookups["axolotl_config_id"] = self._axolotl(request.axolotl_config_id)
        else:
            lookups["prompt_id"] = self._prompt(request, dataset)
        asked = (referred(field, lookup) for field, lookup in lookups.items())
        found = dict(zip(lookups, await all_referred(*asked), strict=True))
        return References(found["base_model_id"], found["dataset_id"], found.get("prompt_id"))

    async def _axolotl(self, config_id: str) -> ConfigMetadata:
        config = await self._peers.config(config_id)
        if config.type != ConfigType.AXOLOTL or not _dataset_format(config.config):
            raise FailedPrecondition.at(
                "axolotl_config_id",
                rules.AXOLOTL_FORMAT,
                f"config {config_id!r} is no axolotl config that names `datasets[0].type`",
                reason="AXOLOTL_FORMAT_MISSING",
            )
        return config

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


def _require_loss(request: JobRequest, prompt: PromptMetadata) -> None:
    if request.user_script:
        return
    templates = (prompt.prompt_template, prompt.input_template, prompt.completion_template)
    if wrong := of_prompt(request.training_settings, *templates):
        description = "; ".join(wrong)
        raise FailedPrecondition.at(
            "prompt_id", rules.LOSS_OF_PROMPT, description, reason="PROMPT_UNFIT_FOR_LOSS"
        )
