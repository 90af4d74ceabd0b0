"""Figures of a run, one for each round, and their JSON."""

import json
import math
import os
import platform
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

FORMAT = 1
NULL_HOPS = 2
"""Hops of the null servers that a call of the studio is held against: facade and domain."""


class UnreadableRun(Exception):
    """A file is no run of this benchmark. The message names it."""


@dataclass(kw_only=True)
class Line:
    """Figures of one kind of call with so many callers, one for each round."""

    name: str
    callers: int
    title: str
    null: str = ""
    """Name of the null line that it is held against; empty if it is held against none."""
    answer_bytes: int = 0
    p50: list[float] = field(default_factory=list)
    """Milliseconds."""
    p99: list[float] = field(default_factory=list)
    """Milliseconds. The slowest call in a round of less than a hundred."""
    rate: list[float] = field(default_factory=list)
    """Calls per second."""
    cpu: dict[str, list[float]] = field(default_factory=dict)
    """Microseconds of CPU for each call, by process."""
    fault: str = ""
    """Reason why it could not be measured; empty if it was."""

    @property
    def key(self) -> str:
        """Name and number of callers."""
        return f"{self.name}/{self.callers}"

    def cpu_total(self) -> list[float]:
        """Microseconds of CPU for each call in all processes but the one that calls."""
        rounds = [values for name, values in self.cpu.items() if name != "load"]
        return [sum(of_round) for of_round in zip(*rounds, strict=True)]


@dataclass(kw_only=True)
class Figure:
    """A figure of the studio as a whole, measured several times."""

    name: str
    title: str
    unit: str
    values: list[float] = field(default_factory=list)
    fault: str = ""


@dataclass(kw_only=True)
class Run:
    """Everything that a run has measured."""

    machine: dict[str, Any]
    settings: dict[str, Any]
    lines: list[Line] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    memory: dict[str, list[float]] = field(default_factory=dict)
    """Proportional set size in MiB by process, of an idle studio."""
    faults: list[str] = field(default_factory=list)
    """Everything else that went wrong, such as a process that died."""
    rounds: int = 0
    seconds: float = 0.0

    def line(self, key: str) -> Line | None:
        """The line with that name and number of callers."""
        return next((line for line in self.lines if line.key == key), None)

    def ratios(self, line: Line, figure: str) -> list[float]:
        """A figure (`p50`, `p99` or `rate`) over that of the null line, round by round."""
        null = self.line(f"{line.null}/{line.callers}") if line.null else None
        if null is None or line.fault or null.fault:
            return []
        pairs = zip(getattr(line, figure), getattr(null, figure), strict=False)
        return [ours / theirs for ours, theirs in pairs]

    def series(self) -> dict[str, list[float]]:
        """All series that two runs can be compared by: ratios, CPU, and the studio as a whole."""
        found: dict[str, list[float]] = {}
        for line in self.lines:
            if line.fault:
                continue
            found[f"{line.key} CPU us per call"] = line.cpu_total()
            for figure in ("p50", "rate"):
                found[f"{line.key} {figure} / null"] = self.ratios(line, figure)
            if not line.null and not line.name.startswith("null"):
                found[f"{line.key} p50 ms"] = line.p50
        for one in self.figures:
            found[f"{one.name} {one.unit}"] = one.values
        return {name: values for name, values in found.items() if values}

    def all_faults(self) -> list[str]:
        """Everything that was not measured or went wrong, a sentence each."""
        return [
            *self.faults,
            *(f"{line.key}: {line.fault}" for line in self.lines if line.fault),
            *(f"{one.name}: {one.fault}" for one in self.figures if one.fault),
        ]

    def write(self, file: Path) -> None:
        """Writes the run as JSON."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n")

    @classmethod
    def read(cls, file: Path) -> "Run":
        """Reads a run that `write` has written. Raises UnreadableRun."""
        try:
            known = json.loads(file.read_text())
            if known.pop("format") != FORMAT:
                raise UnreadableRun(f"{file}: written by another version of the benchmark")
            lines = [Line(**line) for line in known.pop("lines")]
            figures = [Figure(**one) for one in known.pop("figures")]
            return cls(lines=lines, figures=figures, **known)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnreadableRun(f"{file}: no run of this benchmark: {error}") from None


def middle(values: list[float]) -> float:
    """Median; not a number if there are no values."""
    return median(values) if values else math.nan


def machine() -> dict[str, Any]:
    """Facts about the machine that figures depend on."""
    named = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": named[0].partition(":")[2].strip() if named else platform.machine(),
        "system": platform.release(),
        "python": platform.python_version(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_before": os.getloadavg()[0],
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
