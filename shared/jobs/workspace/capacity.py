"""The most resources that jobs can get where they run, as far as the workspace states them.

The local workbench states it by variables of its template jobs, and an administrator of a workspace
may. Of a workspace that does not, only the limits of its accelerator labels count. What nobody
states is accepted: the workspace then queues the job.
"""

import asyncio
import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from chassis.rpc.errors import FailedPrecondition, Refusal, Violations
from ft.job_protocol.variables import CAPACITY, NO_TRAINER
from ft.proto.fine_tuning_studio_jobs_pb2 import GetJobCapacityResponse
from jobs import rules
from jobs.workspace.client import Workspace

NO_LABEL = (-1, 0)
"""Values of a request that mean no accelerator label."""
_SECONDS = 5.0
"""Most seconds to wait for the workspace: it may not state capacities at all."""
_VARIABLES = {"cpu": "FTS_WORKBENCH_CPU", "memory": "FTS_WORKBENCH_MEMORY_GIB"}


@dataclass(frozen=True, kw_only=True)
class RequestedResources:
    """Resources that a job requests for each worker."""

    cpu: int
    memory: int
    """GiB."""
    gpu: int
    label: int | None = None
    workers: int = 1
    own_script: bool = True
    """True if it runs the studio's own script."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Names of the request's fields, where they are not called so."""

    def name(self, field: str) -> str:
        """The request's field."""
        return self.fields.get(field, field)


@dataclass(frozen=True)
class Capacity:
    """The most resources that one job can get; None for those that are not stated."""

    cpu: float | None = None
    memory: float | None = None
    """GiB."""
    gpus: int | None = None
    labels: Mapping[str, int] | None = None
    """Number of GPUs of each accelerator label, by its id; 0 if it is not stated."""
    label_values: Mapping[str, str] = field(default_factory=dict)
    """Names of the labels, by their ids."""
    no_trainer: str = ""

    def message(self) -> GetJobCapacityResponse:
        """The same as clients see it."""
        return GetJobCapacityResponse(
            cpu=self.cpu, memory_gib=self.memory, gpus=self.gpus, no_trainer=self.no_trainer
        )

    def check(self, asked: RequestedResources, found: Violations) -> None:
        """Notes what a job asks for and cannot be granted."""
        if asked.own_script and self.no_trainer:
            found.add("", rules.TRAINER, self.no_trainer)
        self._check(found, asked.name("cpu"), "cpu", asked.cpu, self.cpu, "CPUs")
        self._check(found, asked.name("memory"), "memory", asked.memory, self.memory, "GiB")
        if asked.label is not None and asked.label < min(NO_LABEL):
            description = (
                f"{asked.label} is not the id of an accelerator label; use -1 for no label"
            )
            found.add(asked.name("label"), rules.LABEL, description)
        elif asked.label not in (None, *NO_LABEL) and self.labels is not None:
            self._check_label(asked, found, str(asked.label), self.labels)
        elif self.gpus is not None:
            self._check_gpus(asked, found, self.gpus, "")

    def shared(self, asked: RequestedResources) -> list[str]:
        """Describes resources that several workers share although each requests them.

        Only where they run in one run, which gets no more than there is; GPUs are never shared.
        """
        if asked.workers <= 1 or self.gpus is None:
            return []
        kinds = (("CPUs", asked.cpu, self.cpu), ("GiB of memory", asked.memory, self.memory))
        return [
            f"{asked.workers} workers with {each} {unit} each share {round(there, 1):g} {unit}, "
            "the most that one job can get: they may be slower, or need more memory, than expected"
            for unit, each, there in kinds
            if there is not None and each * asked.workers > there
        ]

    @staticmethod
    def _check(
        found: Violations, name: str, kind: str, asked: float, there: float | None, unit: str
    ) -> None:
        if there is not None and asked > there:
            most = math.floor(there)
            remedy = f"request at most {most}" if most else "run the job elsewhere"
            description = (
                f"{asked} {unit} requested, but a job can get at most {round(there, 1):g} where "
                f"it would run: {remedy}, or raise the limit of the workbench ({_VARIABLES[kind]})"
            )
            found.add(name, rules.GRANTED, description)

    def _check_label(
        self, asked: RequestedResources, found: Violations, label: str, labels: Mapping[str, int]
    ) -> None:
        if label not in labels:
            there = (
                f"existing labels: {', '.join(map(self._called, labels)) or 'none'}; use -1 "
                "for no label"
            )
            description = (
                f"accelerator label {label} does not exist where the job would run; {there}"
            )
            found.add(asked.name("label"), rules.LABEL, description)
        elif labels[label] > 0:
            self._check_gpus(asked, found, labels[label], f" with label {label}")

    def _called(self, label: str) -> str:
        value = self.label_values.get(label)
        return f"{label} ({value})" if value else label

    def _check_gpus(
        self, asked: RequestedResources, found: Violations, there: int, kind: str
    ) -> None:
        # Workers in one run need GPUs of their own each; elsewhere each is a workload.
        wanted = asked.gpu * (asked.workers if self.gpus is not None else 1)
        if wanted > there:
            of = f" ({asked.workers} workers with {asked.gpu} each)" if wanted > asked.gpu else ""
            more = " (FTS_WORKBENCH_GPUS)" if self.gpus is not None else ""
            most = f"request at most {there}" if there else "request 0"
            gpus = "GPU" if wanted == 1 else "GPUs"
            description = (
                f"{wanted} {gpus}{of} requested, but a job can get at most {there}{kind} where it "
                f"would run: {most}, or run it where more are available{more}"
            )
            found.add(asked.name("gpu"), rules.GRANTED, description)


async def capacity(workspace: Workspace, template: str, label: int | None = None) -> Capacity:
    """Capacity for jobs made from the template job; empty while the workspace cannot be reached."""
    with suppress(Refusal, TimeoutError):
        async with asyncio.timeout(_SECONDS):
            job = await workspace.template(template)
        said = _variables(job)
        stated = _stated(said.get(CAPACITY, ""))
        labels, values = stated.get("labels"), stated.get("label_values")
        if labels is None and label not in (None, *NO_LABEL):
            labels, values = await _labels(workspace)
        return Capacity(
            cpu=_number(stated.get("cpu"), float),
            memory=_number(stated.get("memory_gib"), float),
            gpus=_number(stated.get("gpus"), int),
            labels=labels,
            label_values=values if isinstance(values, dict) else {},
            no_trainer=str(said.get(NO_TRAINER) or ""),
        )
    return Capacity()


async def require_granted(
    workspace: Workspace, template: str, asked: RequestedResources
) -> list[str]:
    """Raises FailedPrecondition, naming every number, if a job could never run.

    Returns what its workers share, a sentence each.
    """
    found = Violations()
    there = await capacity(workspace, template, asked.label)
    there.check(asked, found)
    if found.found:
        raise FailedPrecondition.of(found.found, reason="NOT_GRANTABLE")
    return there.shared(asked)


async def _labels(workspace: Workspace) -> tuple[dict[str, int] | None, dict[str, str]]:
    """Numbers of GPUs and names of the workspace's labels."""
    with suppress(Refusal):
        found = await workspace.accelerator_labels()
        counts = {str(one.id): _number(one.max_gpu_per_workload, int) or 0 for one in found}
        return counts, {str(one.id): str(one.label_value or "") for one in found}
    return None, {}


def _variables(template: Any) -> dict[str, Any]:
    try:
        content = json.loads(template.environment or "{}")
    except (ValueError, TypeError, AttributeError):
        return {}
    return content if isinstance(content, dict) else {}


def _stated(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text or "{}")
    except (ValueError, TypeError):
        return {}
    if not isinstance(content, dict):
        return {}
    labels = content.get("labels")
    if isinstance(labels, dict):
        content["labels"] = {id: _number(count, int) or 0 for id, count in labels.items()}
    else:
        content["labels"] = None
    return content


def _number(value: Any, kind: Callable[[Any], Any]) -> Any:
    try:
        number = kind(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None
