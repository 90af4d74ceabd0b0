"""The workspace's words for a run."""

import json
from pathlib import Path

import cmlapi
from ft.enums import JobState
from jobs.states import OF_ENGINE


def test_every_status_of_the_workspace_is_known() -> None:
    description = json.loads((Path(cmlapi.__file__).parent / "description.json").read_text())
    statuses = set(_find(description, "EngineStatus"))
    assert "ENGINE_RUNNING" in statuses
    assert statuses - set(OF_ENGINE) == {"ENGINE_UNKNOWN"}
    assert set(OF_ENGINE) <= statuses


def test_a_run_that_is_over_ends_its_job_and_no_other_does() -> None:
    over = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEDOUT"}
    ending = {status for status, state in OF_ENGINE.items() if state.ended}
    assert ending == {f"ENGINE_{word}" for word in over}


def test_a_job_is_unfinished_until_its_end_is_known() -> None:
    unfinished = {state for state in JobState if not state.ended}
    assert unfinished == {"QUEUED", "SCHEDULED", "RUNNING", "STOPPING"}


def _find(content: object, name: str) -> list[str]:
    if isinstance(content, dict):
        if isinstance(content.get(name), list):
            return list(content[name])
        return [found for inner in content.values() for found in _find(inner, name)]
    return []
