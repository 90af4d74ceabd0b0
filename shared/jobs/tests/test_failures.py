"""What ended a job, and what is made of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rpc.errors import Violations
from ft.enums import FailureKind, JobState
from ft.job_protocol.events import Failed, parse_lines
from ft.proto.fine_tuning_studio_types_pb2 import RetryPolicy
from jobs.failures import MAX_ATTEMPTS, MAY_PASS, Retries, kind_of, reported_kind


def wrong(policy: Retries) -> dict[str, str]:
    """The fields that break a rule, and which."""
    found = Violations()
    policy.check("retry", found)
    return {one.field: one.rule for one in found.found}


def test_policy_without_kinds_covers_failures_that_are_nobodys_fault() -> None:
    policy = Retries.asked(RetryPolicy(max_attempts=3))
    assert policy == Retries(3, ("CRASHED", "LOST", "TIMED_OUT"))
    assert wrong(policy) == {}


def test_faults_of_a_policy_are_reported_at_once() -> None:
    on = ["CRASHED", "USER_ERROR", "OUT_OF_MEMORY", "crashed"]
    assert wrong(Retries.asked(RetryPolicy(max_attempts=11, on=on))) == {
        "retry.max_attempts": "FT-813",
        "retry.on[1]": "FT-814",
        "retry.on[2]": "FT-814",
        "retry.on[3]": "FT-814",
    }
    assert wrong(Retries(0, ("LOST",))) == {"retry.max_attempts": "FT-813"}


@given(st.integers(1, MAX_ATTEMPTS), st.lists(st.sampled_from(MAY_PASS)))
def test_policy_is_read_as_it_was_stored(attempts: int, on: list[str]) -> None:
    policy = Retries(attempts, tuple(on))
    assert Retries.read(policy.stored()) == policy
    assert Retries.asked(Retries.read(policy.stored()).message()).max_attempts == attempts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "3",
        "{}",
        '{"max_attempts": 3}',
        '{"max_attempts": true, "on": []}',
        '{"max_attempts": 1e9, "on": []}',
        '{"max_attempts": 3, "on": 4}',
        '{"max_attempts": 3, "on": [["LOST"]]}',
        '{"max_attempts": 3, "on": ["USER_ERROR"]}',
        "[" * 100_000,
    ],
)
def test_invalid_policy_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Retries.read(text)


def test_policy_ends_with_its_last_attempt_and_knows_no_other_kind() -> None:
    policy = Retries(3, ("LOST",))
    assert [policy.allow("LOST", attempt) for attempt in (1, 2, 3, 4)] == [True, True, False, False]
    assert not policy.allow("CRASHED", 1)
    assert not policy.allow(None, 1)


@pytest.mark.parametrize("said", ["USER_ERROR", "OUT_OF_MEMORY", "ERROR"])
def test_job_may_name_its_failure_kind(said: str) -> None:
    assert reported_kind(said) == said


@pytest.mark.parametrize("said", [None, "LOST", "CRASHED", "", 3, {}, ["ERROR"]])
def test_failure_kind_that_a_job_cannot_know_is_ignored(said: object) -> None:
    line = json.dumps({"event": "failed", "kind": said}).encode()
    [event] = parse_lines(line)
    assert isinstance(event, Failed)
    assert reported_kind(event.kind) == "ERROR"


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ([], "CRASHED"),
        (["step 7", "Segmentation fault (core dumped)"], "CRASHED"),
        (["loaded", "Killed"], "OUT_OF_MEMORY"),
        (["Killed the cache", "step 1"], "CRASHED"),
        (["RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory"] * 2, None),
        (["torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB"], None),
        (["MemoryError"], None),
        (["Memory cgroup: oom-kill: task=python", "step 1"], None),
    ],
)
def test_out_of_memory_is_recognised_in_the_log(lines: list[str], kind: str | None) -> None:
    assert kind_of(JobState.FAILED, lines) == (kind or FailureKind.OUT_OF_MEMORY)


def test_workspace_status_goes_before_the_log() -> None:
    assert kind_of(JobState.LOST, ["Killed"]) == "LOST"
    assert kind_of(JobState.TIMED_OUT, ["Killed"]) == "TIMED_OUT"
