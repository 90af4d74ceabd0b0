"""The client against a real HTTP server that records what it is asked."""

from __future__ import annotations

import datetime
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

import cmlapi
from cmlapi.rest import ApiException
from cmlapi.utils import Cursor

KEY = "a-key-nobody-may-see"
PACKAGE = Path(cmlapi.__file__).parent


class Workspace:
    """A server that gives the answers it was told to, and remembers the requests."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.released = threading.Event()
        workspace = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                workspace.serve(self)

            def log_message(self, format: str, *args: Any) -> None:
                logging.getLogger(__name__).debug(format, *args)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        serving = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        serving.start()

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        split = urlsplit(request.path)
        raw = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self.requests.append(
            {
                "verb": request.command,
                "path": split.path,
                "query": {name: values[0] for name, values in parse_qs(split.query).items()},
                "key": request.headers.get("Authorization"),
                "type": request.headers.get("Content-Type"),
                "raw": raw,
                "body": json.loads(raw)
                if raw and "json" in request.headers["Content-Type"]
                else None,
            }
        )
        status, answer = self.answers.pop(0) if self.answers else (200, {})
        if answer is None:
            self.released.wait(30)
            return
        data = json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    """A workspace that answers every call with an empty document unless told otherwise."""
    found = Workspace()
    yield found
    found.released.set()
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def api(workspace: Workspace) -> cmlapi.CMLServiceApi:
    """A client of it."""
    return cmlapi.default_client(workspace.url, KEY)


@pytest.mark.starts_processes
def test_generated_source_matches_the_description() -> None:
    generate = PACKAGE / "codegen" / "generate.py"
    command = [sys.executable, generate, "--check"]
    check = subprocess.run(command, capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout


@pytest.mark.parametrize("suffix", ["", "/", "/api/v2", "/api/v2/", "/api/v1"])
def test_default_client_reads_the_environment(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setenv("CDSW_API_URL", workspace.url + suffix)
    monkeypatch.setenv("CDSW_APIV2_KEY", KEY)
    cmlapi.default_client().get_project("p")
    assert workspace.requests[0]["path"] == "/api/v2/projects/p"
    assert workspace.requests[0]["key"] == f"Bearer {KEY}"


@pytest.mark.parametrize("missing", ["CDSW_API_URL", "CDSW_APIV2_KEY"])
def test_default_client_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setenv("CDSW_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CDSW_APIV2_KEY", KEY)
    monkeypatch.delenv(missing)
    with pytest.raises(ValueError, match=missing):
        cmlapi.default_client()


def test_body_comes_first_and_unset_fields_stay_at_home(
    workspace: Workspace, api: cmlapi.CMLServiceApi
) -> None:
    body = cmlapi.CreateJobRequest(
        name="n",
        environment={"A": "b"},
        kill_on_timeout=False,
        recipients=[cmlapi.JobRecipient(email="a@b.c")],
    )
    api.create_job(body, "p")
    api.update_job(body={"name": "m"}, project_id="p", job_id="j")
    first, second = workspace.requests
    assert (first["verb"], first["path"]) == ("POST", "/api/v2/projects/p/jobs")
    assert first["body"] == {
        "name": "n",
        "environment": {"A": "b"},
        "kill_on_timeout": False,
        "recipients": [{"email": "a@b.c"}],
    }
    assert (second["verb"], second["path"]) == ("PATCH", "/api/v2/projects/p/jobs/j")
    assert second["body"] == {"name": "m"}


def test_query_parameters_are_sent(workspace: Workspace, api: cmlapi.CMLServiceApi) -> None:
    wanted = json.dumps({"name": "a&b=c"})
    api.list_projects(search_filter=wanted, sort="+name", page_size=5, include_all_projects=True)
    assert workspace.requests[0]["query"] == {
        "search_filter": wanted,
        "sort": "+name",
        "page_size": "5",
        "include_all_projects": "true",
    }


def test_unknown_argument_is_a_type_error(api: cmlapi.CMLServiceApi) -> None:
    with pytest.raises(TypeError, match="colour"):
        api.list_jobs("p", colour="red")  # type: ignore[call-arg]


@pytest.mark.parametrize("empty", ["", None])
def test_empty_path_parameter_is_not_sent(
    workspace: Workspace, api: cmlapi.CMLServiceApi, empty: Any
) -> None:
    with pytest.raises(ValueError, match="job_id"):
        api.delete_job("p", empty)
    assert workspace.requests == []


@pytest.mark.parametrize("value", ["a/b", "a b?c#d", "..", ".", "ä"])
def test_path_parameter_stays_one_segment(
    workspace: Workspace, api: cmlapi.CMLServiceApi, value: str
) -> None:
    api.get_job("p", value)
    path = workspace.requests[0]["path"]
    assert path.startswith("/api/v2/projects/p/jobs/")
    assert path.count("/") == 6


REGISTERED = {
    "model_id": "m",
    "created_at": "2026-01-02T03:04:05.678Z",
    "owner": {"username": "u"},
    "model_versions": [
        {
            "number": 1,
            "model_version_metadata": {
                "mlops_type": "MLFLOW",
                "mlflow_metadata": {"metrics": [{"key": "loss", "value": 1}]},
            },
        }
    ],
    "new_in_a_later_workspace": {"x": [1]},
    "description": None,
}


def test_answer_becomes_objects(workspace: Workspace, api: cmlapi.CMLServiceApi) -> None:
    workspace.answers.append((200, REGISTERED))
    model = api.get_registered_model("m")
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, datetime.UTC)
    assert model == cmlapi.RegisteredModel(
        model_id="m",
        created_at=moment,
        owner=cmlapi.ShortUser(username="u"),
        model_versions=[
            cmlapi.RegisteredModelVersion(
                number=1,
                model_version_metadata=cmlapi.ModelVersionMetadata(
                    mlops_type=cmlapi.MLOPSType.MLFLOW,
                    mlflow_metadata=cmlapi.MLflowMetadata(
                        metrics=[cmlapi.Metric(key="loss", value=1.0)]
                    ),
                ),
            )
        ],
    )
    plain = model.to_dict()
    assert plain["owner"]["username"] == "u"
    assert plain["model_versions"][0]["number"] == 1
    assert "'username': 'u'" in repr(model)
    assert model != cmlapi.RegisteredModel(model_id="m")


def test_refusal_is_an_api_exception_without_the_key(
    workspace: Workspace, api: cmlapi.CMLServiceApi
) -> None:
    workspace.answers.append((404, {"code": 5, "message": "no such job"}))
    with pytest.raises(ApiException) as refused:
        api.get_job("p", "j")
    error = refused.value
    assert (error.status, error.reason) == (404, "Not Found")
    assert json.loads(error.body or "")["message"] == "no such job"
    assert error.headers is not None
    assert "no such job" in str(error)
    assert KEY not in f"{error!r} {error} {api!r} {api.api_client!r} {vars(error)}"


def test_key_is_not_logged(
    workspace: Workspace, api: cmlapi.CMLServiceApi, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        api.get_job("p", "j")
    assert caplog.text
    assert KEY not in caplog.text


def test_cursor_walks_every_page(workspace: Workspace, api: cmlapi.CMLServiceApi) -> None:
    for page in (
        {"jobs": [{"id": "1"}, {"id": "2"}], "next_page_token": "t"},
        {"jobs": [], "next_page_token": "u"},
        {"jobs": [{"id": "3"}], "next_page_token": ""},
    ):
        workspace.answers.append((200, page))
    cursor = Cursor(api.list_jobs, "p", search_filter="{}", page_size=2)
    assert [job.id for job in cursor.items()] == ["1", "2", "3"]
    assert [request["query"].get("page_token") for request in workspace.requests] == [
        None,
        "t",
        "u",
    ]
    assert {request["query"]["search_filter"] for request in workspace.requests} == {"{}"}


def test_forms_and_files_are_sent_as_such(
    workspace: Workspace, api: cmlapi.CMLServiceApi, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n")
    call = api.api_client.call_api
    workspace.answers += [(200, {"id": "x"})] * 3
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    call("/form", "POST", header_params=form, post_params={"a": "1 2"})
    call("/files", "PUT", files={"file": str(rows)})
    saved, status, _ = call("/file", "GET", response_type="file")
    encoded, parts, _ = workspace.requests
    assert (encoded["raw"], encoded["type"]) == (b"a=1+2", form["Content-Type"])
    assert parts["type"].startswith("multipart/form-data; boundary=")
    assert b'filename="rows.csv"' in parts["raw"]
    assert b"a,b" in parts["raw"]
    assert status == 200
    assert json.loads(Path(saved).read_text()) == {"id": "x"}


def test_answer_that_cannot_be_read_is_an_api_exception(
    workspace: Workspace, api: cmlapi.CMLServiceApi
) -> None:
    for wrong in ({"created_at": "yesterday"}, {"cpu": "much"}, {"creator": 3}, [1]):
        workspace.answers.append((200, wrong))
        with pytest.raises(ApiException) as refused:
            api.get_job("p", "j")
        assert refused.value.status == 0
        assert "cannot be read as Job" in str(refused.value)


def test_silence_ends_at_the_timeout(workspace: Workspace, api: cmlapi.CMLServiceApi) -> None:
    workspace.answers.append((200, None))
    with pytest.raises(urllib3.exceptions.HTTPError):
        api.create_job_run(cmlapi.CreateJobRunRequest(), "p", "j", _request_timeout=(5, 0.2))
    # A call that may have had its effect is not sent twice.
    assert len(workspace.requests) == 1


def test_workspace_that_is_down_is_reported(workspace: Workspace) -> None:
    workspace.server.server_close()
    with pytest.raises(urllib3.exceptions.HTTPError):
        cmlapi.default_client(workspace.url, KEY).list_projects(_request_timeout=1)
