"""What the machine has to share out among runs."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil
import structlog

from services.workbench.settings import WorkbenchSettings

log = structlog.get_logger()

GIB = 2**30
_CGROUP = Path("/sys/fs/cgroup")
_ANY_LABEL = ("", "-1")


@dataclass(frozen=True)
class Gpu:
    """One GPU: the index CUDA knows it by, and its kind."""

    index: str
    kind: str


@dataclass(frozen=True)
class Demand:
    """What one run holds while it lives: CPUs, GiB of memory, GPUs of a label (or of any)."""

    cpu: float
    memory: float
    gpu: int
    label: str = ""


@dataclass(frozen=True)
class Machine:
    """The whole of what may be held at once."""

    cpu: float
    memory: float
    gpus: tuple[Gpu, ...] = ()

    def gpus_of(self, label: str) -> list[Gpu]:
        """The GPUs that a label stands for."""
        return [g for g in self.gpus if label in _ANY_LABEL or label_id(g.kind) == label]

    def shortfall(self, demand: Demand) -> str | None:
        """Why `demand` could not be met by the empty machine; None if it could."""
        gpus = len(self.gpus_of(demand.label))
        for what, asked, there in (
            ("CPUs", demand.cpu, self.cpu),
            ("GiB of memory", demand.memory, self.memory),
            ("GPUs", demand.gpu, gpus),
        ):
            if asked > there:
                kind = f" labelled {demand.label!r}" if what == "GPUs" and demand.label else ""
                return f"it asks for {asked:g} {what}{kind}, and the machine has {there:g}"
        return None

    def for_workers(self, one: Demand, workers: int) -> Demand:
        """What several workers hold together, if `one` is what each asks for.

        Of CPUs and memory not more than there is, as long as one could have its own: the workers
        share them then.
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
        """Indices of GPUs for `demand` beside what is `held`; None if it does not fit now."""
        held = list(held)
        if demand.cpu > self.cpu - sum(other.cpu for other in held) + 1e-9:
            return None
        if demand.memory > self.memory - sum(other.memory for other in held) + 1e-9:
            return None
        busy = set(taken)
        free = [gpu.index for gpu in self.gpus_of(demand.label) if gpu.index not in busy]
        return free[: demand.gpu] if demand.gpu <= len(free) else None


def label_id(kind: str) -> str:
    """The id of the accelerator label for GPUs of that kind."""
    return kind.lower().replace(" ", "-")


def detect(settings: WorkbenchSettings) -> Machine:
    """The machine as the settings or, where they are silent, the machine itself say."""
    return Machine(
        cpu=settings.workbench_cpu or _cpus(),
        memory=settings.workbench_memory_gib or _memory_gib(),
        gpus=_gpus() if settings.workbench_gpus is None else _declared(settings.workbench_gpus),
    )


def _declared(count: int) -> tuple[Gpu, ...]:
    found = _gpus()[:count]
    return found + tuple(Gpu(str(n), "GPU") for n in range(len(found), count))


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
