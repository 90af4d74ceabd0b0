"""Events of a job: a class for each kind, one writer and one parser.

An event is a line of JSON: `{"time": ..., "attempt": 1, "event": <name of the kind>, <fields>}`.
The studio's scripts write it by `to_line`. Scripts of users may write any JSON, so the parser takes
nothing for granted: a value that its field cannot hold counts as absent, and a line that is no
event is left out.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar

_HALF_OF_SURROGATE_PAIR = re.compile("[\ud800-\udfff]")
_LARGEST_COUNT = 2**31
"""A count of the contract is 32 bits wide."""
_LARGEST_NUMBER = 1e300
Numbers = Mapping[str, float]
JsonObject = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class JobEvent:
    """An event of any kind. Each may say how far the job is; None for what it does not say."""

    name: ClassVar[str]
    """Value of `event` in the line."""

    step: int | None = None
    total_steps: int | None = None
    epoch: float | None = None
    loss: float | None = None
    eval_loss: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, kw_only=True)
class Started(JobEvent):
    """The work itself begins: everything that can be checked before has been checked."""

    name = "started"
    seed: int | None = None
    train_rows: int | None = None
    eval_rows: int | None = None
    base_model: str | None = None


@dataclass(frozen=True, kw_only=True)
class Resumed(JobEvent):
    """The training continues from a checkpoint of an earlier attempt."""

    name = "resumed"
    checkpoint: str = ""
    """Name of its folder."""


@dataclass(frozen=True, kw_only=True)
class Progress(JobEvent):
    """A step is done."""

    name = "progress"
    learning_rate: float | None = None


@dataclass(frozen=True, kw_only=True)
class NoticeGiven(JobEvent):
    """The job did something other than requested."""

    name = "notice"
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class ManifestWritten(JobEvent):
    """The adapter's manifest is in its folder."""

    name = "manifest"
    manifest: JsonObject | None = None


@dataclass(frozen=True, kw_only=True)
class Saved(JobEvent):
    """The adapter is saved."""

    name = "saved"
    location: str = ""


@dataclass(frozen=True, kw_only=True)
class Registered(JobEvent):
    """The studio has a record of what the job has made: an adapter, or a model by an export."""

    name = "registered"
    adapter_id: str | None = None
    model_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class SampleAnswered(JobEvent):
    """An answer of an evaluation."""

    name = "sample"
    input: str = ""
    expected: str = ""
    output: str = ""


@dataclass(frozen=True, kw_only=True)
class Metrics(JobEvent):
    """The scores of an evaluation, over all of its rows."""

    name = "metrics"
    metrics: Numbers = field(default_factory=dict)
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class Failed(JobEvent):
    """The attempt has failed."""

    name = "failed"
    kind: str = ""
    """A `FailureKind`."""
    reason: str = ""
    """A sentence for users."""
    detail: str = ""
    """More for developers."""


@dataclass(frozen=True, kw_only=True)
class Finished(JobEvent):
    """The attempt has done all of its work."""

    name = "finished"
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class OtherEvent(JobEvent):
    """An event of a kind that this version does not know."""

    name = ""
    other_name: str
    content: JsonObject
    """The whole line."""


KINDS: Mapping[str, type[JobEvent]] = {
    kind.name: kind
    for kind in (
        Started,
        Resumed,
        Progress,
        NoticeGiven,
        ManifestWritten,
        Saved,
        Registered,
        SampleAnswered,
        Metrics,
        Failed,
        Finished,
    )
}


def to_line(event: JobEvent, attempt: int, time: datetime) -> bytes:
    """The line of an event in the file of events, with its line end.

    Fields that are None are left out, and so are numbers that JSON cannot express.
    """
    content = {"time": time.isoformat(), "attempt": attempt, "event": event.name}
    for each in fields(event):
        value = getattr(event, each.name)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            continue
        content[each.name] = value
    text = json.dumps(content, ensure_ascii=False)
    # Half of a surrogate pair, from a file's name that is not UTF-8, has no place in a text.
    text = _HALF_OF_SURROGATE_PAIR.sub(lambda half: f"\\\\u{ord(half[0]):04x}", text)
    return f"{text}\n".encode()


def parse_lines(lines: bytes, attempt: int | None = None) -> Iterator[JobEvent]:
    """Yields the events among the lines, or only those of one attempt."""
    for line in lines.splitlines():
        try:
            content = json.loads(line)
            # An escaped half of a surrogate pair is text that neither stores nor answers take.
            json.dumps(content, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            continue
        if not isinstance(content, dict):
            continue
        if attempt is not None and content.get("attempt", 1) != attempt:
            continue
        name = content.get("event")
        kind = KINDS.get(name) if isinstance(name, str) else None
        values = {
            each.name: value
            for each in fields(kind or JobEvent)
            if (value := _READERS[each.type](content.get(each.name))) is not None
        }
        if kind is None:
            yield OtherEvent(other_name=str(name), content=content, **values)
        else:
            yield kind(**values)


def is_count(value: Any) -> bool:
    """True if a value from a job fits a count of the contract, 32 bits wide."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST_COUNT


def is_number(value: Any) -> bool:
    """True if a value from a job is a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < _LARGEST_NUMBER


def _read_numbers(value: Any) -> Numbers:
    found = value.items() if isinstance(value, dict) else ()
    return {name: number for name, number in found if is_number(number)}


def _read_text(value: Any) -> str | None:
    return None if value is None else str(value)


_READERS: Mapping[Any, Callable[[Any], Any]] = {
    int | None: lambda value: value if is_count(value) else None,
    float | None: lambda value: value if is_number(value) else None,
    str | None: _read_text,
    str: _read_text,
    Numbers: _read_numbers,
    JsonObject | None: lambda value: value if isinstance(value, dict) else None,
}
"""Reader of a field by its type. None stands for a value that the field cannot hold."""
