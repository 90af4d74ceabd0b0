"""Names and events that studio and jobs share stand in one package."""

import ast
import importlib
import json
import math
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ft import job_protocol
from ft.domains import DOMAIN_OF_KIND, DOMAINS
from ft.job_protocol import (
    evaluation_table,
    events,
    files,
    reports,
    template_jobs,
    variables,
)
from ft.job_protocol.events import (
    KINDS,
    Failed,
    JobEvent,
    Metrics,
    NoticeGiven,
    OtherEvent,
    Progress,
    parse_lines,
    to_line,
)
from ft.job_protocol.reports import JobKind

ROOT = Path(__file__).parents[3]
ROOMS = ("shared", "services", "containers")
NAMES = (variables, files, template_jobs, reports, evaluation_table)
"""Modules whose texts are names."""
COMMON_WORDS = {"model", "run"}
"""Names that other things have as well."""
EXCEPTIONS = {
    # Run by their path in the interpreter of the jobs, with the standard library alone.
    "services/workbench/provided/cml/workers_v1.py",
    # Stands in for the workspace's own client, which knows nothing of the studio.
    "shared/cmlapi/client.py",
}
TIME = datetime(2026, 1, 2, tzinfo=UTC)


def names() -> set[str]:
    """The texts that the package defines and that mean nothing else."""
    found = {
        value
        for module in NAMES
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    return found - COMMON_WORDS


def sources() -> Iterator[Path]:
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            parts = path.relative_to(ROOT).parts
            if not {"tests", "testing", "testing.py", "proto", "job_protocol"} & set(parts):
                yield path


def texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """The texts of a source but for docstrings and comments beside names."""
    idle = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in idle:
            yield node


def test_names_of_the_protocol_stand_nowhere_else() -> None:
    pattern = re.compile("|".join(rf"(?<![\w.]){re.escape(name)}(?!\w)" for name in names()))
    found = [
        f"{path.relative_to(ROOT)}:{text.lineno}: {text.value!r}"
        for path in sources()
        if str(path.relative_to(ROOT)) not in EXCEPTIONS
        for text in texts(ast.parse(path.read_text(encoding="utf-8")))
        if pattern.search(text.value)
    ]
    assert not found, "import these names from ft.job_protocol:\n" + "\n".join(found)


def test_exceptions_are_still_needed() -> None:
    for path in EXCEPTIONS:
        source = (ROOT / path).read_text(encoding="utf-8")
        assert any(name in source for name in names()), path


def test_protocol_names_have_one_meaning() -> None:
    for module in pkgutil.iter_modules(job_protocol.__path__):
        found = vars(importlib.import_module(f"ft.job_protocol.{module.name}"))
        texts = [value for name, value in found.items() if name.isupper() and type(value) is str]
        assert len(texts) == len(set(texts)), module.name


def test_job_kinds_have_one_domain_each() -> None:
    assert set(DOMAIN_OF_KIND) == set(JobKind)
    assert sum(domain.job_kind is not None for domain in DOMAINS.values()) == len(JobKind)


def test_event_kinds_have_names_of_their_own() -> None:
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type)]
    written = [k for k in kinds if issubclass(k, JobEvent) and k not in (JobEvent, OtherEvent)]
    assert sorted(KINDS) == sorted(kind.name for kind in written)


NUMBERS = st.floats(-1e299, 1e299)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    int | None: st.integers(0, 2**31 - 1),
    float | None: NUMBERS,
    str | None: TEXTS,
    str: TEXTS,
    events.Numbers: st.dictionaries(TEXTS, NUMBERS, max_size=3),
    events.JsonObject | None: st.dictionaries(TEXTS, TEXTS, max_size=3),
}


@st.composite
def any_event(draw: st.DrawFn) -> JobEvent:
    kind = draw(st.sampled_from(list(KINDS.values())))
    return kind(**{field.name: draw(VALUES[field.type]) for field in fields(kind)})


@settings(deadline=None)
@given(any_event(), st.integers(1, 5))
def test_event_is_read_as_it_was_written(event: JobEvent, attempt: int) -> None:
    line = to_line(event, attempt, TIME)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert list(parse_lines(line, attempt)) == [event]
    assert list(parse_lines(line)) == [event]
    assert list(parse_lines(line, attempt + 1)) == []


def test_line_has_what_a_person_looks_for() -> None:
    line = json.loads(to_line(Failed(kind="ERROR", reason="why", detail="more"), 2, TIME))
    head = {"time": "2026-01-02T00:00:00+00:00", "attempt": 2, "event": "failed"}
    assert line == {**head, "kind": "ERROR", "reason": "why", "detail": "more"}


@pytest.mark.parametrize("loss", [math.nan, math.inf, None])
def test_number_that_json_cannot_express_is_left_out(loss: float | None) -> None:
    assert json.loads(to_line(Progress(step=1, loss=loss), 1, TIME)).keys() == {
        "time",
        "attempt",
        "event",
        "step",
    }


def test_half_of_a_surrogate_pair_is_written_as_text() -> None:
    [event] = parse_lines(to_line(NoticeGiven(message="a\udce4"), 1, TIME))
    assert event == NoticeGiven(message="a\\udce4")


@pytest.mark.parametrize(
    ("content", "event"),
    [
        ({"event": "progress", "step": "1", "loss": True, "epoch": 10**400}, Progress()),
        ({"event": "progress", "step": 3, "unknown": {}}, Progress(step=3)),
        ({"event": "notice", "message": 7, "step": 2}, NoticeGiven(message="7", step=2)),
        (
            {"event": "metrics", "metrics": {"a": 1, "b": "x"}, "rows": -1},
            Metrics(metrics={"a": 1}),
        ),
        ({"event": "metrics", "metrics": [1]}, Metrics()),
        ({"event": "failed", "reason": None}, Failed()),
    ],
)
def test_value_that_its_field_cannot_hold_counts_as_absent(
    content: dict[str, Any], event: JobEvent
) -> None:
    assert list(parse_lines(json.dumps(content).encode())) == [event]


@pytest.mark.parametrize("name", ["later", "", 3, None, ["failed"], {}])
def test_event_of_an_unknown_kind_still_says_how_far_the_job_is(name: object) -> None:
    content = {"event": name, "step": 4}
    [event] = parse_lines(json.dumps(content).encode())
    assert isinstance(event, OtherEvent)
    assert (event.step, event.content) == (4, content)
