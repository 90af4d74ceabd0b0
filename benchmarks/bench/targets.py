"""Targets, each for one figure of one line or of the whole studio."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from benchmarks.bench.results import Figure, Line, Run, middle


@dataclass(frozen=True)
class Target:
    """A limit for the median of a figure."""

    name: str
    """Pattern of names of lines, or the name of a figure of the whole studio."""
    figure: str
    """p50 or rate, over that of the null line; p99_ms; value, of a figure of the whole studio."""
    limit: float
    callers: int = 0
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        """True for a value within the limit."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return f"{self.figure} {sign} {self.limit:g}"


def _call(name: str, p50: float, rate: float = 0.0) -> list[Target]:
    """Limits of the time with 1 caller and of the rate with 16, over the null line's."""
    targets = [Target(name, "p50", p50, callers=1)]
    if rate:
        targets.append(Target(name, "rate", rate, callers=16, at_least=True))
    return targets


TARGETS: Sequence[Target] = (
    *_call("get", 1.2, 0.8),
    *_call("get-job", 1.4),
    *_call("list-small", 1.1, 0.9),
    *_call("list-small-after-write", 3),
    *_call("page-jobs-*", 2),
    *_call("order-jobs-*", 2),
    *_call("filter-jobs-*", 2),
    *_call("page-[sl]*", 1.6, 0.6),
    *_call("order-*", 1.6),
    *_call("filter-*", 1.6),
    *_call("add", 3, 0.35),
    *_call("remove", 3, 0.35),
    Target("watch", "p99_ms", 1000, callers=1000),
    Target("up-existing", "value", 3),
    Target("up-new", "value", 4),
    Target("down", "value", 2),
    Target("memory", "value", 350),
    Target("idle", "value", 1),
    Target("fts-help", "value", 0.4),
    Target("fts-datasets-list", "value", 0.4),
    Target("client-get", "value", 1.15),
    Target("client-list", "value", 1.1),
    Target("async-client-get", "value", 1.15),
    Target("async-client-list", "value", 1.1),
)
"""All targets; the first that fits a line and its callers holds."""


@dataclass(frozen=True)
class Verdict:
    """A target, and what was measured; not a number if it was not."""

    target: Target
    value: float

    @property
    def is_met(self) -> bool:
        """True if the target is met."""
        return self.target.is_met(self.value)


def verdict(run: Run, measured: Line | Figure) -> Verdict | None:
    """The target of a line or figure beside its median; None if it has no target."""
    callers = measured.callers if isinstance(measured, Line) else 0
    for target in TARGETS:
        if target.callers == callers and fnmatch(measured.name, target.name):
            break
    else:
        return None
    if isinstance(measured, Figure):
        return Verdict(target, middle(measured.values))
    if target.figure == "p99_ms":
        return Verdict(target, middle(measured.p99))
    return Verdict(target, middle(run.ratios(measured, target.figure)))
