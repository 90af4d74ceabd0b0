"""The client that the workbench hands out, installed by pip, is what its generator would make."""

import json
import os
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.workspace import Workspace, running
from tests.processes import starts_processes


@pytest.fixture(scope="module")
@starts_processes
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def user(
    workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a script of a user's who has installed the client from the workspace's address."""
    installed = tmp_path_factory.mktemp("site")
    url = f"{workspace.url}/api/v2/python.tar.gz"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PIP_TARGET")}
    environment |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    subprocess.run(
        [*pip, "--no-cache-dir", "--target", installed, url], env=environment, check=True
    )
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(installed), sysconfig.get_path("purelib")]),
        "CDSW_API_URL": f"{workspace.url}/api/v2",
        "CDSW_APIV2_KEY": workspace.key,
    }
    head = f"import cmlapi; assert cmlapi.__file__.startswith({str(installed)!r})\n"

    def run(code: str) -> "subprocess.CompletedProcess[str]":
        script = head + textwrap.dedent(code)
        return subprocess.run(
            [sys.executable, "-S", "-c", script],
            env=environment,
            cwd=installed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


User = Callable[[str], "subprocess.CompletedProcess[str]"]


def works(user: User, code: str) -> str:
    done = user(code)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_operations_have_http_info_and_asynchronous_forms(
    user: User,
) -> None:
    out = works(
        user,
        """
        import json
        api = cmlapi.default_client()
        operations = [name for name in vars(cmlapi.CMLServiceApi) if not name.startswith("_")]
        plain = {name for name in operations if not name.endswith("_with_http_info")}
        assert {f"{name}_with_http_info" for name in plain} == set(operations) - plain
        assert len(plain) >= 43, len(plain)
        data, status, headers = api.get_project_with_http_info("local")
        assert isinstance(data, cmlapi.Project) and status == 200
        assert headers["content-type"] == headers["Content-Type"] == "application/json"
        thread = api.get_project("local", async_req=True)
        assert thread.get() == data == api.get_project(project_id="local")
        assert api.list_projects_with_http_info(async_req=True).get()[1] == 200
        raw = api.get_project("local", _preload_content=False)
        assert json.loads(raw.read())["id"] == "local"
        assert api.get_project_with_http_info("local", _return_http_data_only=True) == data
        assert api.api_client.last_response.status == 200
        try:
            api.get_job("local", "none", async_req=True).get()
        except cmlapi.rest.ApiException as error:
            assert error.status == 404 and json.loads(error.body)["code"] == 5
        for wrong, kind in ((dict(colour=1), TypeError), (dict(project_id=None), ValueError)):
            for call in (api.get_project, api.get_project_with_http_info):
                try:
                    call(**{"project_id": "local", **wrong})
                except kind as error:
                    assert list(wrong)[0] in str(error)
                else:
                    raise AssertionError(wrong)
        print("done")
        """,
    )
    assert out == "done\n"


def test_models_have_a_module_and_the_generators_attributes(user: User) -> None:
    works(
        user,
        """
        import importlib, inspect, pkgutil
        import cmlapi.models
        from cmlapi.models.create_job_request import CreateJobRequest
        from cmlapi.models.m_lflow_metadata import MLflowMetadata
        from cmlapi.models.experiment_run_status import ExperimentRunStatus
        assert ExperimentRunStatus.FINISHED == "EXPERIMENT_RUN_FINISHED"
        assert cmlapi.EngineStatus.RUNNING == "ENGINE_RUNNING"
        found = {}
        for module in pkgutil.iter_modules(cmlapi.models.__path__):
            if module.name != "base":
                content = importlib.import_module(f"cmlapi.models.{module.name}")
                own = [c for c in vars(content).values()
                       if inspect.isclass(c) and c.__module__ == content.__name__]
                assert len(own) == 1, module.name
                found[own[0].__name__] = own[0]
        assert len(found) >= 61, len(found)
        for name, model in found.items():
            assert getattr(cmlapi, name) is getattr(cmlapi.models, name) is model
            one = model()
            assert set(model.swagger_types) == set(model.attribute_map) == set(one.to_dict())
            assert model.openapi_types == model.swagger_types
            assert one.discriminator is None
            assert one == model() and not one != model() and one != cmlapi and one != 3
            assert one.to_str() == repr(one) == str(one)
            for attribute, kind in model.swagger_types.items():
                setattr(one, attribute, "x")
                assert one != model()
                assert getattr(model(**{attribute: "x"}), attribute) == "x"
                inner = kind.removeprefix("list[").removesuffix("]")
                known = ("str", "int", "float", "bool", "datetime", "dict(str, str)")
                assert inner in known or hasattr(cmlapi.models, inner), kind
        job = cmlapi.Job(project=cmlapi.ShortProject(name="p"))
        assert job.to_dict()["project"]["name"] == "p"
        assert CreateJobRequest(environment={"A": "b"}).to_dict()["environment"] == {"A": "b"}
        """,
    )


def test_api_client_serializes_and_calls_like_the_generators(user: User) -> None:
    works(
        user,
        """
        import datetime
        api = cmlapi.default_client()
        client = api.api_client
        moment = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
        body = cmlapi.CreateJobRequest(name="n", recipients=[cmlapi.JobRecipient(email="a@b.c")])
        given = {"job": body, "at": moment, "day": moment.date(), "none": None, "pair": (1, True)}
        assert client.sanitize_for_serialization(given) == {
            "job": {"name": "n", "recipients": [{"email": "a@b.c"}]},
            "at": "2026-01-02T00:00:00+00:00", "day": "2026-01-02", "none": None, "pair": (1, True),
        }
        assert client.sanitize_for_serialization(None) is None
        client.user_agent = "mine/1"
        assert client.user_agent == client.default_headers["User-Agent"] == "mine/1"
        client.set_default_header("X-Mine", "1")
        found, status, headers = client.call_api(
            "/api/v2/projects/{project_id}", "GET", {"project_id": "local"}, [], {},
            body=None, post_params=[], files={}, response_type="Project", auth_settings=[],
            async_req=None, _return_http_data_only=None, _preload_content=True,
            _request_timeout=None, collection_formats={},
        )
        assert (found.id, status) == ("local", 200)
        assert client.call_api(
            "/api/v2/projects", "GET", query_params={"page_size": 1}, response_type=object,
            _return_http_data_only=True)["projects"][0]["id"] == "local"
        assert client.select_header_accept(["Text/Plain", "application/json"]) == "application/json"
        assert client.select_header_content_type([]) == "application/json"
        assert client.parameters_to_tuples({"a": [1, 2]}, {"a": "csv"}) == [("a", "1,2")]
        """,
    )


def test_configuration_is_like_the_generators(user: User, tmp_path: Path) -> None:
    log = tmp_path / "client.log"
    works(
        user,
        f"""
        import os, json, logging
        from http.server import BaseHTTPRequestHandler, HTTPServer
        import threading
        key, url = os.environ["CDSW_APIV2_KEY"], os.environ["CDSW_API_URL"].removesuffix("/api/v2")
        seen = []

        class Proxy(BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append((self.path, self.headers["Authorization"]))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{{"id": "by proxy"}}')
            def log_message(self, *args): pass

        server = HTTPServer(("127.0.0.1", 0), Proxy)
        threading.Thread(target=server.serve_forever, daemon=True).start()

        made = cmlapi.Configuration()
        assert (made.debug, made.proxy, made.api_key) == (False, None, {{}})
        assert made.api_key_prefix == {{}}
        assert made.safe_chars_for_path_param == "" and made.verify_ssl is True
        assert made.client_side_validation is True and made.temp_folder_path is None
        made.host = url
        made.api_key["Authorization"] = key
        made.api_key_prefix["Authorization"] = "Bearer"
        assert made.get_api_key_with_prefix("Authorization") == f"Bearer {{key}}"
        made.logger_file = {str(log)!r}
        made.debug = True
        assert logging.getLogger("cmlapi").level == logging.DEBUG
        api = cmlapi.CMLServiceApi(cmlapi.ApiClient(made))
        assert api.get_project("local").id == "local"
        made.debug = False

        made.proxy = f"http://127.0.0.1:{{server.server_port}}"
        made.host = "http://workspace.invalid"
        made.safe_chars_for_path_param = "/"
        cmlapi.Configuration.set_default(made)
        assert cmlapi.Configuration().host == made.host
        api = cmlapi.CMLServiceApi()
        assert api.get_project("a/b").id == "by proxy"
        assert api.get_project("../x").id == "by proxy"
        assert seen == [
            ("http://workspace.invalid/api/v2/projects/a/b", f"Bearer {{key}}"),
            ("http://workspace.invalid/api/v2/projects/%2E%2E/x", f"Bearer {{key}}"),
        ]
        """,
    )
    said = log.read_text()
    assert "/api/v2/projects/local" in said
    assert "Bearer" not in said


def test_numbers_of_64_bits_are_sent_exactly(user: User, workspace: Workspace) -> None:
    out = works(
        user,
        """
        api = cmlapi.default_client()
        for label in (1, "1"):
            body = cmlapi.CreateJobRequest(name="n", script="s.py", accelerator_label_id=label)
            job = api.create_job(body, "local")
            print(int(job.accelerator_label_id), int(job.timeout))
        """,
    )
    assert out == "1 0\n1 0\n"
    assert json.dumps(workspace.get("/api/v2/projects/local/jobs", page_size=1))
