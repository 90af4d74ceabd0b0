"""The REST API, through the real client."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cmlapi
from cmlapi.rest import ApiException
from cmlapi.utils import Cursor
from services.workbench import app
from services.workbench.serving import calls
from services.workbench.tests.refusals import refused


def names(api: cmlapi.CMLServiceApi, **kwargs: Any) -> list[str]:
    return [job.name for job in Cursor(api.list_jobs, "local", **kwargs).items()]


def create(api: cmlapi.CMLServiceApi, name: str, **fields: Any) -> Any:
    request = cmlapi.CreateJobRequest(name=name, script="s.py", **fields)
    return api.create_job(request, "local")


@pytest.fixture
def jobs(api: cmlapi.CMLServiceApi) -> Iterator[list[Any]]:
    """Seven jobs of rising cpu and, apart from one, of one kernel."""
    made = [create(api, f"page{n}", cpu=n + 1, kernel="seven") for n in range(7)]
    yield made
    for job in made:
        api.delete_job("local", job.id)


# The surface


def test_operations_served_are_exactly_the_described_ones(shared: Any) -> None:
    application = app.build(None, "key")  # type: ignore[arg-type] # no request is served
    served = {
        (method, re.sub(r":path}", "}", route.path))
        for route in application.routes
        for method in route.methods  # type: ignore[attr-defined]
    }
    described = {
        (operation["verb"], re.sub(r"{(\w+)\.id}", r"{\1_id}", operation["path"]))
        for operation in app.description()["operations"].values()
    }
    ours = {("GET", path) for path in (app.HEALTH_PATH, app.CLIENT_PATH, app.LOGS_PATH)}
    assert served == described | ours | {("POST", calls.PATH)}


def test_operations_all_answer_the_client(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    """Whatever an operation is called with, it answers or refuses itself, and no route does."""
    for name, operation in app.description()["operations"].items():
        method = getattr(api, name)
        params = dict.fromkeys(re.findall(r"{([^}]+)}", operation["path"]), "nowhere")
        kwargs: dict[str, Any] = {key.replace(".", "_"): value for key, value in params.items()}
        if "body" in operation:
            kwargs["body"] = getattr(cmlapi, operation["body"])()
        if params or "body" in operation:
            with pytest.raises(ApiException) as found:
                method(**kwargs)
            assert "no such operation" not in str(found.value.body)
            assert found.value.status in (400, 404)
        else:
            assert isinstance(method(), getattr(cmlapi, operation["returns"]))


# The door


@pytest.mark.parametrize("key", ["wrong", "no-ascii-ä".encode().decode("latin-1")])
def test_wrong_key_is_refused(shared: Any, key: str) -> None:
    refused(401, cmlapi.default_client(shared.url, key).list_projects)


def test_missing_key_is_refused(shared: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as found:
        urllib.request.urlopen(f"{shared.url}/api/v2/projects")
    assert found.value.code == 401
    assert json.load(found.value)["code"] == 16


def test_files_that_may_hold_secrets_are_private(shared: Any) -> None:
    for name in ("workbench.key", "workbench.db", "workbench.db-wal", "runs"):
        assert (shared.home / name).stat().st_mode & 0o077 == 0, name


def test_unknown_operation_and_verb_are_refused(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    call = api.api_client.call_api
    refused(404, call, "/api/v2/nothing", "GET", auth_settings=["BearerAuth"])
    refused(501, call, "/api/v2/projects", "PUT")


# Lists


def test_pages_hold_everything_once_while_rows_are_added_and_removed(
    api: cmlapi.CMLServiceApi, jobs: list[Any]
) -> None:
    wanted = json.dumps({"kernel": "seven"})
    for sort in ("", "-cpu", "name", "+cpu,-name", "-created_at"):
        first = api.list_jobs("local", search_filter=wanted, sort=sort, page_size=3)
        early = create(api, "a-before-all", cpu=0.5, kernel="seven")
        late = create(api, "z-after-all", cpu=99, kernel="seven")
        rest: list[Any] = []
        token = first.next_page_token
        while token:
            page = api.list_jobs(
                "local", search_filter=wanted, sort=sort, page_size=3, page_token=token
            )
            rest += page.jobs or []
            token = page.next_page_token
        seen = [job.id for job in [*(first.jobs or []), *rest]]
        assert len(seen) == len(set(seen))
        assert {job.id for job in jobs} <= set(seen)
        for job in (early, late):
            api.delete_job("local", job.id)


def test_lists_are_sorted_and_filtered(api: cmlapi.CMLServiceApi, jobs: list[Any]) -> None:
    wanted = json.dumps({"kernel": "seven"})
    assert names(api, search_filter=wanted) == [f"page{n}" for n in range(7)]
    assert names(api, search_filter=wanted, sort="-cpu", page_size=2) == [
        f"page{n}" for n in reversed(range(7))
    ]
    assert names(api, search_filter=json.dumps({"kernel": "seven", "cpu": 3})) == ["page2"]
    assert names(api, search_filter=json.dumps({"name": "page"})) == []


def test_default_page_is_ten(api: cmlapi.CMLServiceApi, jobs: list[Any]) -> None:
    more = [create(api, f"more{n}") for n in range(4)]
    page = api.list_jobs("local")
    assert len(page.jobs or []) == 10
    assert page.next_page_token
    for job in more:
        api.delete_job("local", job.id)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"search_filter": "{"}, "search_filter: not JSON"),
        ({"search_filter": "[]"}, "must be a JSON object"),
        ({"search_filter": '{"colour": "red"}'}, "unknown field 'colour'"),
        ({"search_filter": '{"cpu": "many"}'}, "cpu: 'many' is not a float"),
        ({"search_filter": '{"paused": 3}'}, "paused: 3 is not a bool"),
        ({"sort": "colour"}, "sort: unknown field 'colour'"),
        ({"page_size": -1}, "page_size: -1 is negative"),
        ({"page_token": "rubbish"}, "page_token: 'rubbish' is not a page token"),
        ({"page_token": "W10="}, "page_token: 'W10=' is not a page token"),
    ],
)
def test_invalid_list_parameters_are_refused(
    api: cmlapi.CMLServiceApi, parameters: dict[str, Any], said: str
) -> None:
    assert said in refused(400, api.list_jobs, "local", **parameters)


def test_page_token_of_another_order_is_refused(api: cmlapi.CMLServiceApi, jobs: list[Any]) -> None:
    token = api.list_jobs("local", sort="name", page_size=1).next_page_token
    assert "another" in refused(400, api.list_jobs, "local", sort="-name", page_token=token)


# Projects and files


def test_project_is_the_only_one(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    (project,) = Cursor(api.list_projects).items()
    assert project.id == "local"
    changed = api.update_project(cmlapi.Project(environment='{"A": "b"}'), "local")
    assert json.loads(changed.environment or "") == {"A": "b"}
    assert changed.name == project.name
    for broken in ("{", "[]", '{"A": 1}', '{"A=B": "c"}'):
        body = cmlapi.Project(environment=broken)
        assert "environment" in refused(400, api.update_project, body, "local")
    refused(404, api.get_project, "other")


def test_files_are_those_of_the_project(
    shared: Any, api: cmlapi.CMLServiceApi, tmp_path: Path
) -> None:
    folder = shared.project / "data" / "deep"
    folder.mkdir(parents=True)
    (folder / "rows.csv").write_text("a,b\n")
    (tmp_path / "secret").write_text("no")
    (shared.project / "data" / "way_out").symlink_to(tmp_path)
    listed = api.list_project_files("local", "data").files or []
    assert [(f.path, f.is_dir) for f in listed] == [("data/deep", True), ("data/way_out", False)]
    (file,) = api.list_project_files("local", "data/deep/rows.csv").files or []
    assert (file.path, file.file_size) == ("data/deep/rows.csv", "4")
    for root in ("/", "."):
        assert "data" in [f.path for f in api.list_project_files("local", root).files or []]
    refused(404, api.list_project_files, "local", "data/none")
    for outside in ("..", "data/../../x", "data/way_out", "data/way_out/secret", "/../etc"):
        assert "outside" in refused(400, api.list_project_files, "local", outside)


# Jobs


def test_job_comes_back_as_it_was_given(api: cmlapi.CMLServiceApi) -> None:
    given = {
        "script": "s.py",
        "cpu": 1.5,
        "memory": 3.0,
        "nvidia_gpu": 1,
        "arguments": "--a b",
        "accelerator_label_id": "1",
        "kill_on_timeout": True,
        "runtime_addon_identifiers": ["addon"],
    }
    request = cmlapi.CreateJobRequest(
        name="whole",
        timeout=300,
        environment={"A": "b"},
        **given,  # type: ignore[arg-type]
    )
    made = api.create_job(request, "local")
    read = api.get_job("local", made.id or "")
    assert read == made
    assert {name: getattr(read, name) for name in given} == given
    assert (read.timeout, json.loads(read.environment or "")) == ("300", {"A": "b"})
    assert read.project is not None
    assert read.project.public_identifier == "local"
    changed = api.update_job(cmlapi.Job(cpu=2.0, timeout="0"), "local", made.id or "")
    assert (changed.cpu, changed.timeout, changed.memory) == (2.0, "0", 3.0)
    api.delete_job("local", made.id or "")
    refused(404, api.get_job, "local", made.id)


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"name": None}, 400, "name: must be given"),
        ({"name": "  "}, 400, "name: must not be blank"),
        ({"script": None}, 400, "script: must be given"),
        ({"cpu": 0}, 400, "cpu: must be more than 0"),
        (
            {"cpu": -1, "memory": 0},
            400,
            "cpu: must be more than 0 and finite, not -1.0; "
            "memory: must be more than 0 and finite (GiB), not 0.0",
        ),
        ({"nvidia_gpu": -1}, 400, "nvidia_gpu: must not be negative"),
        ({"timeout": -1}, 400, "timeout: must not be negative"),
        ({"cpu": "much"}, 400, "cpu: Input should be a valid number"),
        ({"environment": {"A=": "b"}}, 400, "environment"),
        ({"runtime_identifier": "other"}, 400, "runtime_identifier: 'other' is not a runtime"),
        ({"schedule": "* * * * *"}, 501, "schedule"),
    ],
)
def test_invalid_jobs_are_refused(
    api: cmlapi.CMLServiceApi, fields: dict[str, Any], status: int, said: str
) -> None:
    request = cmlapi.CreateJobRequest(**{"name": "n", "script": "s.py"} | fields)
    assert said in refused(status, api.create_job, request, "local")


@pytest.mark.parametrize("character", ["\0", "\n", "\x1b", "\x7f", "\u202e", "\ud800"])
def test_job_names_with_control_characters_are_refused(
    api: cmlapi.CMLServiceApi, jobs: list[Any], character: str
) -> None:
    name = f"a{character}b"
    said = f"name: has U+{ord(character):04X} ("
    request = cmlapi.CreateJobRequest(name=name, script="s.py")
    assert said in refused(400, api.create_job, request, "local")
    assert said in refused(400, api.update_job, cmlapi.Job(name=name), "local", jobs[0].id)
    assert api.get_job("local", jobs[0].id).name == jobs[0].name


def test_unknown_ids_are_not_found(api: cmlapi.CMLServiceApi, jobs: list[Any]) -> None:
    request = cmlapi.CreateJobRequest(name="n", script="s.py")
    refused(404, api.create_job, request, "other")
    refused(404, api.list_jobs, "other")
    refused(404, api.get_job, "other", jobs[0].id)
    refused(404, api.create_job_run, cmlapi.CreateJobRunRequest(), "local", "none")
    refused(404, api.get_job_run, "local", jobs[0].id, "none")
    refused(404, api.stop_job_run, "local", jobs[0].id, "none")


def test_template_jobs_and_runtime_are_there(api: cmlapi.CMLServiceApi) -> None:
    (runtime,) = api.list_runtimes().runtimes or []
    scripts = {
        "Accel_Finetuning_Base_Job": "accel_fine_tune.py",
        "Finetuning_Base_Job": "fine_tune.py",
        "Mlflow_Evaluation_Base_Job": "evaluate.py",
        "Model_Export_Base_Job": "export.py",
    }
    for name, script in scripts.items():
        (job,) = api.list_jobs("local", search_filter=json.dumps({"name": name})).jobs or []
        assert Path(job.script or "").name == script
        assert job.runtime_identifier == runtime.image_identifier


def test_accelerators_are_those_of_the_machine(api: cmlapi.CMLServiceApi) -> None:
    labels = api.list_all_accelerator_node_labels().accelerator_node_label or []
    assert sum(int(label.max_gpu_count or 0) for label in labels) == 2  # as the harness says
