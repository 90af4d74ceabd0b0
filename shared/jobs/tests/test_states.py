"""The workspace's words for a run."""

import json
from pathlib import Path

import cmlapi
from ft.enums import JobState
from jobs.store.states import MOVES, OF_ENGINE, sources


def test_workspace_statuses_are_all_known() -> None:
    description = json.loads((Path(cmlapi.__file__).parent / "description.json").read_text())
    statuses = set(_find(description, "EngineStatus"))
    assert "ENGINE_RUNNING" in statuses
    assert statuses - set(OF_ENGINE) == {"ENGINE_UNKNOWN"}
    assert set(OF_ENGINE) <= statuses


def test_run_that_is_over_ends_its_job_and_no_other_does() -> None:
    over = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEDOUT"}
    ending = {status for status, state in OF_ENGINE.items() if state.ended}
    assert ending == {f"ENGINE_{word}" for word in over}


def test_job_is_unfinished_until_its_end_is_known() -> None:
    unfinished = {state for state in JobState if not state.ended}
    assert unfinished == {"QUEUED", "DISPATCHING", "SCHEDULED", "RUNNING", "STOPPING"}


def test_states_have_transitions_and_an_end_leads_to_an_attempt_only() -> None:
    assert set(MOVES) == set(JobState)
    for state in JobState:
        if state.ended:
            assert MOVES[state] <= {JobState.QUEUED}
    assert not MOVES[JobState.SUCCEEDED] | MOVES[JobState.UNKNOWN]


def test_jobs_can_end_and_can_be_cancelled_until_then() -> None:
    for state in JobState:
        if not state.ended:
            reached, left = {state}, [state]
            while left:
                following = MOVES[left.pop()] - reached
                reached |= following
                left += following
            assert {"STOPPED", "FAILED"} <= reached
            assert state is JobState.STOPPING or JobState.STOPPING in MOVES[state]


def test_sources_are_the_reversed_transitions() -> None:
    for to in JobState:
        assert sources(to) == [state for state in JobState if to in MOVES[state]]


def _find(content: object, name: str) -> list[str]:
    if isinstance(content, dict):
        if isinstance(content.get(name), list):
            return list(content[name])
        return [found for inner in content.values() for found in _find(inner, name)]
    return []
