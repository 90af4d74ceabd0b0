"""The lines of a run: names, titles, and the calls behind them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from benchmarks.bench.contract import api
from benchmarks.bench.load import Workload
from benchmarks.bench.settings import Settings
from benchmarks.bench.workloads.jobs import Start, Validate, Watch
from benchmarks.bench.workloads.reads import Listing, Read
from benchmarks.bench.workloads.subject import Subject
from benchmarks.bench.workloads.writes import Add, ListAfterWrite, Remove

SMALL, LARGE, JOBS = "small", "large", "jobs"
"""The two studios, by the number of their prompts, and the list of jobs, in the small one."""
FIELD_SHARE = 0.3
"""Share of the measured time for lines that differ in the field of an order or filter only."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the table, before it is measured."""

    name: str
    title: str
    callers: tuple[int, ...]
    make: Callable[[str, str, Subject], Workload]
    studio: str = SMALL
    share: float = 1.0
    """Share of the measured time."""


def entries(settings: Settings, patterns: list[str]) -> list[Entry]:
    """Lines whose names fit one of the patterns; all if there are none."""
    return [entry for entry in _all(settings) if wanted(entry.name, patterns)]


def wanted(name: str, patterns: list[str]) -> bool:
    """True for a name that fits one of the patterns, and if there are none."""
    return not patterns or any(fnmatch(name, pattern) for pattern in patterns)


def _all(settings: Settings) -> Iterator[Entry]:
    rows = settings.small_rows

    def entry(name: str, title: str, make: Callable[[str, str, Subject], Workload]) -> Entry:
        return Entry(name=name, title=title, callers=settings.callers, make=make)

    yield entry("get", "GetPrompt", _get_prompt)
    yield entry("get-job", "GetFineTuningJob", _get_job)
    yield entry("add", "AddPrompt", Add)
    yield entry("remove", "RemovePrompt", Remove)
    yield entry(
        "list-small",
        f"ListPrompts, all {rows:,}",
        lambda name, title, subject: Listing(name, title, subject, rows),
    )
    yield entry("list-small-after-write", "the same right after a write", ListAfterWrite)
    yield entry("validate", "ValidateFineTuningJob", Validate)
    yield entry("start", "StartFineTuningJob, until accepted", Start)
    title = "WatchJob, an event at all watchers"
    yield Entry(name="watch", title=title, callers=settings.watchers, make=Watch)
    for studio, prompts in ((SMALL, settings.small_rows), (LARGE, settings.large_rows)):
        filters = {
            "name": (f"prompt {7:07}", 1),
            "type": (api.PromptType.IN_PLACE, prompts),
            "dataset_id": ("dataset-7", len(range(7, prompts - 1, 100))),
        }
        orders: tuple[str, ...] = ("id", "type", "dataset_id", "created_at", "updated_at")
        yield from _pages(settings, studio, prompts, "name", orders, filters)
    failed = {"state": ("FAILED", len(range(8, settings.jobs, 10)))}
    orders = ("state", "base_model_id", "created_at")
    yield from _pages(settings, JOBS, settings.jobs, "adapter_name", orders, failed)


def _get_prompt(name: str, title: str, subject: Subject) -> Workload:
    request = api.GetPromptRequest(id=subject.prompt.id)
    return Read(name, title, subject, "GetPrompt", request)


def _get_job(name: str, title: str, subject: Subject) -> Workload:
    request = api.GetFineTuningJobRequest(id=subject.job_id)
    return Read(name, title, subject, "GetFineTuningJob", request)


def _pages(
    settings: Settings,
    kind: str,
    rows: int,
    name_field: str,
    orders: Sequence[str],
    filters: Mapping[str, tuple[str, int]],
) -> Iterator[Entry]:
    """Pages of a list with so many rows.

    `filters` has for each field a value, and the number of rows that have it.
    """
    of = f"of {rows:,} {'jobs' if kind == JOBS else 'prompts'}"

    def page(name: str, title: str, found: int = rows, **fields: Any) -> Entry:
        by_field = name.startswith(("order", "filter"))
        return Entry(
            name=name,
            title=title,
            studio=LARGE if kind == LARGE else SMALL,
            callers=settings.callers[:1] if by_field else settings.callers,
            share=FIELD_SHARE if by_field else 1.0,
            make=lambda name, title, subject: Listing(
                name,
                title,
                subject,
                min(found, settings.page),
                of_jobs=kind == JOBS,
                page_size=settings.page,
                **fields,
            ),
        )

    yield page(f"page-{kind}-first", f"first page {of}")
    middle = (rows - settings.page) // 2
    yield page(f"page-{kind}-middle", f"middle page {of}", after=middle)
    yield page(f"page-{kind}-by-name", f"page by {name_field} {of}", order_by=name_field)
    for field in orders:
        yield page(f"order-{kind}-{field}", f"page by {field} {of}", order_by=field)
    for field, (value, found) in filters.items():
        title = f"page with a filter on {field} {of}"
        yield page(f"filter-{kind}-{field}", title, found, filter={field: value})
