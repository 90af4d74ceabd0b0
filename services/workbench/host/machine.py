"""The resources of the machine that runs share."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import structlog

from services.workbench.settings import WorkbenchSettings

log = structlog.get_logger()

GIB = 2**30
_CGROUP = Path("/sys/fs/cgroup")
_ANY_LABEL = ("", "0", "-1")


@dataclass(frozen=True)
class Gpu:
    """One GPU: its index in CUDA, and its kind."""

    index: str
    kind: str


@dataclass(frozen=True)
class Demand:
    """Resources of one run while it runs: CPUs, GiB of memory, GPUs of a label (or of any)."""

    cpu: float
    memory: float
    gpu: int
    label: str = ""


@dataclass(frozen=True)
class Holder:
    """A run or a served model that uses resources of the machine."""

    name: str
    cpu: float = 0
    memory: float = 0
    gpus: tuple[str, ...] = ()
    """Indices."""


@dataclass(frozen=True)
class ResourceKind:
    """One kind of resource: its name, and the amount that a holder uses."""

    singular: str
    plural: str
    held: Callable[[Holder, "Machine", str], float]

    def of(self, count: float) -> str:
        """The amount with its unit."""
        return f"{_number(count)} {self.singular if count == 1 else self.plural}"


CPUS = ResourceKind("CPU", "CPUs", lambda holder, _machine, _label: holder.cpu)
MEMORY = ResourceKind(
    "GiB of memory", "GiB of memory", lambda holder, _machine, _label: holder.memory
)
_SHOWN_HOLDERS = 3


def _holding(holding: Sequence[tuple[str, float]], there: float) -> str:
    of = _number(there)
    first, rest = holding[:_SHOWN_HOLDERS], holding[_SHOWN_HOLDERS:]
    parts = [f"{name} holds {_number(count)} of {of}" for name, count in first]
    if rest:
        held = _number(sum(count for _, count in rest))
        parts.append(f"{len(rest)} {'other holds' if len(rest) == 1 else 'others hold'} {held}")
    return ", ".join(parts)


def _number(count: float) -> str:
    return f"{round(count, 1):g}"


@dataclass(frozen=True)
class Machine:
    """The resources that may be used at the same time."""

    cpu: float
    memory: float
    gpus: tuple[Gpu, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    """Kind of GPU by the id of its accelerator label, including kinds that the machine no longer
    has."""

    def gpus_of(self, label: str) -> list[Gpu]:
        """The GPUs of a label, by its id; all GPUs if there is no label."""
        if label in _ANY_LABEL:
            return list(self.gpus)
        return [gpu for gpu in self.gpus if gpu.kind == self.labels.get(label)]

    def most(self) -> dict[str, Any]:
        """The most resources that one run can get."""
        there = {id: kind for id, kind in self.labels.items() if self.gpus_of(id)}
        return {
            "cpu": self.cpu,
            "memory_gib": self.memory,
            "gpus": len(self.gpus),
            "labels": {id: len(self.gpus_of(id)) for id in there},
            "label_values": there,
        }

    def shortfall(self, demand: Demand) -> str | None:
        """Returns the reason why the empty machine cannot meet `demand`; None if it can."""
        for kind, asked, there in self._compared(demand, len(self.gpus_of(demand.label))):
            if asked > there:
                return f"it requests {kind.of(asked)}, but the machine has {_number(there)}"
        return None

    def wait(self, demand: Demand, holders: Sequence["Holder"]) -> str:
        """Names the resources that `demand` waits for, and their holders; empty if all are free."""
        free = len(self.gpus_of(demand.label))
        found = []
        for kind, asked, there in self._compared(demand, free):
            held = {one: kind.held(one, self, demand.label) for one in holders}
            if asked > there - sum(held.values()) + 1e-9:
                holding = [(one.name, count) for one, count in held.items() if count]
                found.append(f"{kind.of(asked)}; {_holding(holding, there)}")
        return f"waits for {', and for '.join(found)}" if found else ""

    def _compared(self, demand: Demand, gpus: int) -> list[tuple[ResourceKind, float, float]]:
        kind = f" ({self.labels[demand.label]})" if demand.label in self.labels else ""
        label = "" if demand.label in _ANY_LABEL else f" labelled {demand.label!r}{kind}"

        def held(holder: Holder, machine: Machine, label: str) -> float:
            return len({gpu.index for gpu in machine.gpus_of(label)}.intersection(holder.gpus))

        return [
            (CPUS, demand.cpu, self.cpu),
            (MEMORY, demand.memory, self.memory),
            (ResourceKind(f"GPU{label}", f"GPUs{label}", held), demand.gpu, gpus),
        ]

    def for_workers(self, one: Demand, workers: int) -> Demand:
        """Resources of several workers together, each of which requests `one`.

        If the machine has enough CPUs and memory for one worker, but not for all, the workers share
        what it has.
        """
        if workers <= 1 or self.shortfall(one) is not None:
            return one
        return Demand(
            cpu=min(one.cpu * workers, self.cpu),
            memory=min(one.memory * workers, self.memory),
            gpu=one.gpu * workers,
            label=one.label,
        )

    def grant(
        self, demand: Demand, held: Iterable[Demand], taken: Iterable[str]
    ) -> list[str] | None:
        """Indices of GPUs for `demand` in addition to what is `held`; None if it does not fit."""
        held = list(held)
        if demand.cpu > self.cpu - sum(other.cpu for other in held) + 1e-9:
            return None
        if demand.memory > self.memory - sum(other.memory for other in held) + 1e-9:
            return None
        busy = set(taken)
        free = [gpu.index for gpu in self.gpus_of(demand.label) if gpu.index not in busy]
        return free[: demand.gpu] if demand.gpu <= len(free) else None


def detect(settings: WorkbenchSettings) -> Machine:
    """The machine as its operating system describes it, unless settings say otherwise."""
    gpus, count = _gpus(), settings.workbench_gpus
    if count is not None:
        gpus = gpus[:count] + tuple(Gpu(str(n), "GPU") for n in range(len(gpus), count))
    return Machine(
        cpu=settings.workbench_cpu or _cpus(),
        memory=settings.workbench_memory_gib or _memory_gib(),
        gpus=gpus,
    )


def _cpus() -> float:
    affinity = getattr(os, "sched_getaffinity", None)
    there = float(len(affinity(0)) if affinity else os.cpu_count() or 1)
    quota, _, period = _cgroup_limit("cpu.max").partition(" ")
    return there if quota in ("", "max") else min(there, int(quota) / int(period))


def _memory_gib() -> float:
    there = psutil.virtual_memory().total
    limit = _cgroup_limit("memory.max")
    return (there if limit in ("", "max") else min(there, int(limit))) / GIB


def _cgroup_limit(name: str) -> str:
    try:
        return (_CGROUP / name).read_text().strip()
    except OSError:
        return ""


def _gpus() -> tuple[Gpu, ...]:
    command = shutil.which("nvidia-smi")
    if command is None:
        return ()
    query = [command, "--query-gpu=index,name", "--format=csv,noheader"]
    try:
        listing = subprocess.run(  # noqa: S603 - a fixed question
            query, capture_output=True, text=True, timeout=30, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        log.warning(
            "nvidia-smi does not answer; the machine counts as one without GPUs", error=str(error)
        )
        return ()
    found = re.findall(r"^(\d+), (.+)$", listing.stdout, re.MULTILINE)
    return tuple(Gpu(index, kind) for index, kind in found)
