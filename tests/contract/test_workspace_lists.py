"""Lists of the workspace take every key that its genuine client documents, and no other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.workspace import PROJECT, Workspace, running
from tests.processes import starts_processes

DOCUMENTED: dict[str, dict[str, list[str]]] = json.loads(
    (Path(__file__).parent / "documented_keys.json").read_text()
)
ELSEWHERE = ["list_experiment_runs"]
"""Lists that are empty here: tests/e2e/test_experiments.py has some."""
OF_THE_JOB = ("name", "paused", "script", "type")
"""Keys of runs that runs have from their job."""


@pytest.fixture(scope="module")
@starts_processes
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def paths(workspace: Workspace) -> dict[str, str]:
    """The address of each list, with two items in each that can have any."""
    jobs = [workspace.make_job(name=name, kernel=name) for name in ("a", "b")]
    runs = f"{PROJECT}/jobs/{jobs[0]['id']}/runs"
    models = [
        workspace.call("POST", f"{PROJECT}/models", {"name": name, "description": name})[1]
        for name in ("a", "b")
    ]
    builds = f"{PROJECT}/models/{models[0]['id']}/builds"
    registry = "/api/v2/registry/models"
    for address, body in (
        (runs, {}),
        (runs, {}),
        (builds, {"comment": "a"}),
        (builds, {"comment": "b"}),
        (registry, {"model_name": "a", "project_id": "local"}),
        (registry, {"model_name": "b", "project_id": "local"}),
        (registry, {"model_name": "b", "project_id": "local"}),
    ):
        status, answer = workspace.call("POST", address, body)
        assert status == 200, answer
    last = workspace.get(registry)["models"][-1]["model_id"]
    return {
        "list_projects": "/api/v2/projects",
        "list_jobs": f"{PROJECT}/jobs",
        "list_all_jobs": "/api/v2/jobs",
        "list_job_runs": runs,
        "list_models": f"{PROJECT}/models",
        "list_model_builds": builds,
        "list_registered_models": registry,
        "get_registered_model": f"{registry}/{last}",
        "list_runtimes": "/api/v2/runtimes",
        "list_all_accelerator_node_labels": "/api/v2/nodelabels",
        "list_applications": f"{PROJECT}/applications",
    }


def _items(answer: dict[str, Any]) -> list[dict[str, Any]]:
    [items] = [value for value in answer.values() if isinstance(value, list)]
    return items


def _value(item: dict[str, Any], key: str) -> Any:
    for part in key.split("."):
        item = item.get(part, "") if isinstance(item, dict) else ""
    return item


@pytest.mark.parametrize("operation", [one for one in DOCUMENTED if one not in ELSEWHERE])
def test_list_orders_by_every_documented_key(
    workspace: Workspace, paths: dict[str, str], operation: str
) -> None:
    path = paths[operation]
    items = _items(workspace.get(path, page_size=100))
    for key in DOCUMENTED[operation].get("sort", []):
        for sign in ("", "-"):
            sort = sign + key
            ordered = _items(workspace.get(path, sort=sort, page_size=100))
            if items and key in items[0]:
                assert sorted(map(str, items)) == sorted(map(str, ordered)), key
                values = [item[key] for item in ordered]
                assert values == sorted(values, reverse=sign == "-"), sort
            elif operation != "list_job_runs":  # whose order by what the job has is none either
                assert ordered == items, sort
            first = workspace.get(path, sort=sort, page_size=1)
            if token := first.get("next_page_token"):
                rest = workspace.get(path, sort=sort, page_size=100, page_token=token)
                assert _items(first) + _items(rest) == ordered, sort


@pytest.mark.parametrize("operation", [one for one in DOCUMENTED if one not in ELSEWHERE])
def test_list_filters_by_every_documented_key(
    workspace: Workspace, paths: dict[str, str], operation: str
) -> None:
    path = paths[operation]
    items = _items(workspace.get(path, page_size=100))
    for key in DOCUMENTED[operation].get("search_filter", []):
        if operation == "list_job_runs" and key in OF_THE_JOB:
            continue
        for wanted in {json.dumps(_value(item, key)) for item in items}:
            filter = f'{{"{key}": {wanted}}}'
            found = _items(workspace.get(path, search_filter=filter, page_size=100))
            assert found == [item for item in items if json.dumps(_value(item, key)) == wanted]
        if not (items and isinstance(_value(items[0], key), bool)):
            nothing = json.dumps({key: "no such value"})
            assert _items(workspace.get(path, search_filter=nothing)) == [], key


@pytest.mark.parametrize("operation", [one for one in DOCUMENTED if one not in ELSEWHERE])
@pytest.mark.parametrize("parameter", ["search_filter", "sort"])
def test_unknown_key_is_refused_in_words(
    workspace: Workspace, paths: dict[str, str], operation: str, parameter: str
) -> None:
    path = paths[operation]
    for key in ("colour", "creator.colour", "creator", "NAME", "name; drop"):
        value = json.dumps({key: "x"}) if parameter == "search_filter" else f"-{key}"
        status, answer = workspace.call("GET", path, **{parameter: value})
        assert (status, answer["code"]) == (400, 3)
        assert parameter in answer["message"]
        assert repr(key) in answer["message"]


def test_creator_is_the_only_user(workspace: Workspace, paths: dict[str, str]) -> None:
    path = paths["list_jobs"]
    creator = _items(workspace.get(path))[0]["creator"]["username"]
    for key in ("creator.username", "creator.name"):
        mine = workspace.get(path, search_filter=json.dumps({key: creator}))
        theirs = workspace.get(path, search_filter=json.dumps({key: f"not {creator}"}))
        assert _items(mine)
        assert _items(theirs) == []


def test_runs_are_filtered_by_job_name(workspace: Workspace, paths: dict[str, str]) -> None:
    path = paths["list_job_runs"]
    for wanted, count in (
        ({"name": "a"}, 2),
        ({"name": "b"}, 0),
        ({"type": "manual"}, 2),
        ({"paused": False}, 2),
        ({"script": "s.py"}, 2),
    ):
        found = _items(workspace.get(path, search_filter=json.dumps(wanted)))
        assert len(found) == count, wanted


def test_applications_are_an_empty_list(workspace: Workspace) -> None:
    answer = workspace.get(f"{PROJECT}/applications", page_size=5)
    assert answer["applications"] == []
    assert not answer.get("next_page_token")
    status, refusal = workspace.call("GET", f"{PROJECT}/applications/abcd-efgh-ijkl-mnop")
    assert (status, refusal["code"]) == (404, 5)
    assert "abcd-efgh-ijkl-mnop" in refusal["message"]
    for path in ("/api/v2/projects/other/applications", "/api/v2/projects/other/experiments"):
        assert workspace.call("GET", path)[0] == 404
    assert workspace.call("GET", f"{PROJECT}/applications", page_size=-1)[0] == 400
    assert workspace.call("GET", f"{PROJECT}/applications", page_token="x")[0] == 400


def test_experiments_are_empty_before_any_job_reported(workspace: Workspace) -> None:
    answer = workspace.get(f"{PROJECT}/experiments")
    assert answer["experiments"] == []
    assert workspace.call("GET", f"{PROJECT}/experiments/1")[0] == 404
