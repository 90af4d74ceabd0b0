"""Checks of a request to start evaluations. A check that fails raises; none changes anything."""

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
from services.evaluation.peers import EvaluationPeers
from services.evaluation.request import EvaluationRequest


@dataclass(frozen=True, slots=True)
class EvaluationReferences:
    """The records of other domains that a request refers to."""

    models: Mapping[str, ModelMetadata]
    """Base models by id, in the order of the request."""
    dataset: DatasetMetadata
    prompt: PromptMetadata
    adapters: Mapping[str, AdapterMetadata]
    """By id, that of the comparison too."""


class EvaluationChecks:
    """Checks of a request that are independent of each other."""

    def __init__(self, peers: EvaluationPeers, workspace: Workspace, project: Path) -> None:
        self._peers = peers
        self._workspace = workspace
        self._project = project

    def check_request(self, request: EvaluationRequest) -> None:
        """Checks the request by itself. Raises InvalidArgument with all that is wrong."""
        found = Violations()
        request.check(found)
        found.raise_if_any()

    async def require_granted(self, request: EvaluationRequest) -> None:
        """Raises FailedPrecondition for jobs that the workspace could never run.

        Also if the project directory is not writable.
        """
        require_writable(self._project)
        asked = RequestedResources(
            cpu=request.cpu,
            memory=request.memory,
            gpu=request.gpu,
            label=request.gpu_label_id,
            fields={"label": "gpu_label_id"},
        )
        await require_granted(self._workspace, template_jobs.EVALUATION, asked)

    async def find_references(self, request: EvaluationRequest) -> EvaluationReferences:
        """Returns the records that the request refers to.

        Raises FailedPrecondition naming every reference that does not exist, and the columns that
        the dataset does not have.
        """
        lookups: dict[str, Awaitable[Any]] = {
            "dataset_id": self._find_dataset(request),
            "prompt_id": self._peers.prompt(request.prompt_id),
        }
        for number, (model_id, adapter_id) in enumerate(request.combinations):
            field = f"model_adapter_combinations[{number}]"
            lookups[f"{field}.base_model_id"] = self._peers.model(model_id)
            if adapter_id:
                lookups[f"{field}.adapter_id"] = self._peers.adapter(adapter_id)
        if request.comparison_adapter_id:
            lookups["comparison_adapter_id"] = self._peers.adapter(request.comparison_adapter_id)
        records = await all_referred(*(referred(field, one) for field, one in lookups.items()))
        found = dict(zip(lookups, records, strict=True))
        models = [one for field, one in found.items() if field.endswith(".base_model_id")]
        adapters = [one for field, one in found.items() if field.endswith("adapter_id")]
        return EvaluationReferences(
            {one.id: one for one in models},
            found["dataset_id"],
            found["prompt_id"],
            {one.id: one for one in adapters},
        )

    async def _find_dataset(self, request: EvaluationRequest) -> DatasetMetadata:
        """Returns the dataset, which has the columns that the request selects."""
        dataset = await self._peers.dataset(request.dataset_id)
        try:
            content = json.loads(dataset.features)
        except ValueError:
            content = None
        # An imported record may have any text: its columns are not known then.
        columns = [str(name) for name in content] if isinstance(content, list) else []
        missing = [name for name in request.selected_features if columns and name not in columns]
        if missing:
            raise FailedPrecondition.at(
                "selected_features",
                rules.FEATURES,
                f"the dataset has no column {', '.join(missing)}; its columns are "
                f"{', '.join(columns)}",
            )
        return dataset
