"""What must hold for evaluations to be started. Every check raises, and none changes anything."""

import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.paths import require_writable
from chassis.rpc.errors import FailedPrecondition, Violations
from chassis.rpc.peers import all_referred, referred
from ft.job_protocol import template_jobs
from ft.proto.fine_tuning_studio_pb2 import (
    AdapterMetadata,
    DatasetMetadata,
    ModelMetadata,
    PromptMetadata,
)
from jobs.workspace.capacity import RequestedResources, require_granted
from jobs.workspace.client import Workspace
from services.evaluation import rules
from services.evaluation.peers import Peers
from services.evaluation.request import EvaluationRequest


@dataclass(frozen=True, slots=True)
class References:
    """What a request refers to."""

    models: Mapping[str, ModelMetadata]
    """Base models by id, in the order of the request."""
    dataset: DatasetMetadata
    prompt: PromptMetadata
    adapters: Mapping[str, AdapterMetadata]
    """By id, that of the comparison too."""


class Checks:
    """The checks of a request, each of what the others do not need."""

    def __init__(self, peers: Peers, workspace: Workspace, project: Path) -> None:
        self._peers = peers
        self._workspace = workspace
        self._project = project

    def request(self, request: EvaluationRequest) -> None:
        """The request by itself. Raises InvalidArgument with all that is wrong."""
        found = Violations()
        request.check(found)
        found.raise_if_any()

    async def granted(self, request: EvaluationRequest) -> None:
        """Raises FailedPrecondition for jobs that could never run where they would have to, or
        could not write there what they find."""
        require_writable(self._project)
        asked = RequestedResources(
            cpu=request.cpu,
            memory=request.memory,
            gpu=request.gpu,
            label=request.gpu_label_id,
            fields={"label": "gpu_label_id"},
        )
        await require_granted(self._workspace, template_jobs.EVALUATION, asked)

    async def references(self, request: EvaluationRequest) -> References:
        """What the request refers to.

        Raises FailedPrecondition naming every reference that does not exist, and the columns that
        the dataset does not have.
        """
        lookups: dict[str, Awaitable[Any]] = {
            "dataset_id": self._dataset(request),
            "prompt_id": self._peers.prompt(request.prompt_id),
        }
        for number, (model_id, adapter_id) in enumerate(request.combinations):
            field = f"model_adapter_combinations[{number}]"
            lookups[f"{field}.base_model_id"] = self._peers.model(model_id)
            if adapter_id:
                lookups[f"{field}.adapter_id"] = self._peers.adapter(adapter_id)
        if request.comparison_adapter_id:
            lookups["comparison_adapter_id"] = self._peers.adapter(request.comparison_adapter_id)
        asked = (referred(field, lookup) for field, lookup in lookups.items())
        found = dict(zip(lookups, await all_referred(*asked), strict=True))
        models = [one for field, one in found.items() if field.endswith(".base_model_id")]
        adapters = [one for field, one in found.items() if field.endswith("adapter_id")]
        return References(
            {one.id: one for one in models},
            found["dataset_id"],
            found["prompt_id"],
            {one.id: one for one in adapters},
        )

    async def _dataset(self, request: EvaluationRequest) -> DatasetMetadata:
        dataset = await self._peers.dataset(request.dataset_id)
        columns = _columns(dataset)
        missing = [name for name in request.selected_features if columns and name not in columns]
        if missing:
            raise FailedPrecondition.at(
                "selected_features",
                rules.FEATURES,
                f"{', '.join(missing)} not among the dataset's columns {', '.join(columns)}",
            )
        return dataset


def _columns(dataset: DatasetMetadata) -> list[str]:
    """The dataset's columns, as far as they are known: an imported record may say anything."""
    try:
        columns = json.loads(dataset.features)
    except ValueError:
        return []
    return [str(name) for name in columns] if isinstance(columns, list) else []
