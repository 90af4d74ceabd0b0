"""Models that are really served: from a script in the project to an answer over HTTP."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

import cmlapi
from services.workbench.tests.served_models import ECHO, Served, alive, post


def test_function_is_served(shared: Any, deploy: Callable[..., Served]) -> None:
    served = deploy(shared, ECHO, environment={"GREETING": "hello"})
    status, content = served.call({"prompt": "grüß"})
    assert status == 200
    assert content["success"] is True
    assert content["response"]["echo"] == {"prompt": "grüß"}
    assert content["response"]["greeting"] == "hello"
    assert "a line of the script's own" in served.log()
    build = shared.client().get_model_build(*served.there[:3])
    assert build.status == "built"
    assert build.built_at is not None


def test_call_needs_the_access_key(shared: Any, deploy: Callable[..., Served]) -> None:
    closed = deploy(shared, ECHO)
    assert closed.call({}, None)[0] == 401
    status, content = closed.call({}, "wrong")
    assert (status, content["success"]) == (401, False)
    assert "Authorization" in content["errors"][0]
    assert closed.call({}, accessKey="no such key")[0] == 404
    open_to_all = deploy(shared, ECHO, disable_authentication=True)
    assert open_to_all.call({}, None)[0] == 200
    # The process itself answers nobody but the workbench.
    ready = shared.home / "models" / closed.id / "attempt-1" / "ready.json"
    port = json.loads(ready.read_text())["port"]
    assert post(f"http://127.0.0.1:{port}", b"{}", closed.model.access_key)[0] == 401


@pytest.mark.parametrize(
    ("request_", "status", "told"),
    [
        ({"bad": 1}, 400, "bad: must not be set"),
        ({"wrong": 1}, 500, "ZeroDivisionError"),
        ({"strange": 1}, 500, "TypeError"),
    ],
)
def test_error_of_the_function_is_returned(
    shared: Any, steady: Served, request_: Any, status: int, told: str
) -> None:
    answered, content = steady.call(request_)
    assert (answered, content["success"]) == (status, False)
    assert told in content["errors"][0]
    assert steady.call({})[0] == 200


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"{", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b'{"accessKey": "\\ud800", "request": {}}', 400, "not JSON"),
        (b"[]", 400, "accessKey"),
        (b'{"accessKey": 7, "request": {}}', 400, "accessKey"),
        (b'{"accessKey": "x"}', 400, "request"),
        (b" " * (2**20 + 1), 413, "exceeds"),
    ],
)
def test_malformed_calls_are_refused(
    shared: Any, api: cmlapi.CMLServiceApi, content: bytes, status: int, told: str
) -> None:
    answered, found = post(shared.url, content, shared.key)
    assert answered == status
    assert told in found["errors"][0]


@pytest.fixture(scope="module")
def steady(shared: Any) -> Served:
    """A model that the tests share that leave it as it is."""
    api = shared.client()
    (shared.project / "steady.py").write_text(ECHO)
    model = api.create_model(cmlapi.CreateModelRequest(name="steady"), "local")
    build = api.create_model_build(
        cmlapi.CreateModelBuildRequest(
            file_path="steady.py", function_name="answer", auto_deploy_model=True
        ),
        "local",
        model.id,
    )
    listed = api.list_model_deployments("local", model.id, build.id)
    served = Served(shared, model, build.id, listed.model_deployments[0].id)
    while served.status() in ("pending", "deploying"):
        time.sleep(0.05)
    assert served.status() == "deployed"
    return served


def test_calls_run_one_at_a_time(shared: Any, steady: Served) -> None:
    go = shared.project / "go-on"
    found: list[tuple[int, Any]] = []
    callers = [
        threading.Thread(target=lambda: found.append(steady.call({"wait_for": str(go)})))
        for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    assert found == []
    go.touch()
    for caller in callers:
        caller.join(20)
    assert [status for status, _ in found] == [200] * 3
    assert len({content["response"]["pid"] for _, content in found}) == 1


@pytest.mark.parametrize(
    ("code", "fields", "told"),
    [
        (ECHO, {"function_name": "other"}, "defines no other"),
        (ECHO, {"file_path": "nowhere.py"}, "nowhere.py"),
        ("def answer(:", {}, "not a Python script"),
        ("import no_such_module\ndef answer(args): ...", {}, "no_such_module"),
        ("print('why'); raise SystemExit(78)\ndef answer(args): ...", {}, "why"),
    ],
)
def test_unservable_model_fails_at_once_with_the_reason(
    shared: Any, deploy: Callable[..., Served], code: str, fields: dict[str, str], told: str
) -> None:
    served = deploy(shared, code, status="failed", **fields)
    assert told in served.log()
    assert "[workbench] failed: " in served.log()
    assert not (shared.home / "models" / served.id / "attempt-2").exists()
    assert served.call({}) == (503, {"success": False, "errors": ["the model is failed"]})


def test_process_that_dies_is_restarted_up_to_a_limit(
    harness: Any, deploy: Callable[..., Served], wait: Callable[..., Any]
) -> None:
    harness.settings["FTS_WORKBENCH_MODEL_PAUSE_SECONDS"] = "0.01"
    harness.start()
    served = deploy(harness, ECHO)
    for launch in (2, 3, 4):
        assert served.call({"end": True})[0] == 502
        wait("it is launched again", lambda n=launch: _begun(harness) == n)
        wait("it serves again", lambda: served.call({})[0] == 200)
    served.call({"end": True})
    wait("it has failed", lambda: served.status() == "failed")
    assert "exit status 3 4 times in a row" in served.log()
    # A restart that is asked for begins to count anew.
    harness.client().restart_model_deployment(*served.there)
    wait("it serves again", lambda: served.call({})[0] == 200)
    assert _begun(harness) == 5


def _begun(harness: Any) -> int:
    return len((harness.project / "begun").read_text().splitlines())


WITH_A_CHILD = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
def answer(args):
    return [os.getpid(), child.pid]
"""


def test_stop_restart_and_delete_end_the_process_and_its_children(
    shared: Any, deploy: Callable[..., Served], wait: Callable[..., Any]
) -> None:
    served = deploy(shared, WITH_A_CHILD)
    api = shared.client()
    first = served.call({})[1]["response"]
    assert api.stop_model_deployment(*served.there).status == "stopping"
    wait("it is stopped", lambda: served.status() == "stopped")
    assert not any(map(alive, first))
    assert api.get_model_deployment(*served.there).stopped_at is not None
    assert served.call({})[0] == 503
    assert api.restart_model_deployment(*served.there).status == "pending"
    wait("it serves", lambda: served.call({})[0] == 200)
    second = served.call({})[1]["response"]
    # A restart of what runs replaces its process.
    api.restart_model_deployment(*served.there)
    wait("it serves by another", lambda: _response(served) not in (None, second))
    assert not any(map(alive, second))
    third = served.call({})[1]["response"]
    api.delete_model("local", served.model.id)
    assert not any(map(alive, third))
    assert not (shared.home / "models" / served.id).exists()
    assert served.call({})[0] == 404


def _response(served: Served) -> Any:
    status, content = served.call({})
    return content["response"] if status == 200 else None


def test_newer_deployment_takes_over(
    shared: Any, deploy: Callable[..., Served], wait: Callable[..., Any]
) -> None:
    older = deploy(shared, "def answer(args): return 'older'")
    newer = deploy(shared, "def answer(args): return 'newer'", of=older)
    wait("the older one is stopped", lambda: older.status() == "stopped")
    assert newer.call({})[1]["response"] == "newer"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_restarted_workbench_serves_again_by_one_process(
    harness: Any, deploy: Callable[..., Served], wait: Callable[..., Any], number: signal.Signals
) -> None:
    harness.start()
    served = deploy(harness, ECHO)
    pid = served.call({})[1]["response"]["pid"]
    harness.end(number)
    # Nobody could call it while the workbench is away: told to end, it takes its models along.
    assert alive(pid) is (number == signal.SIGKILL)
    harness.start()
    wait("it serves", lambda: served.call({})[0] == 200)
    now = served.call({})[1]["response"]["pid"]
    assert (now == pid) is (number == signal.SIGKILL)
    processes = [p for p in psutil.process_iter() if _environment(p) == served.id]
    assert [p.pid for p in processes] == [now]


def test_model_with_files_missing_at_the_restart_is_restarted(
    harness: Any, deploy: Callable[..., Served], wait: Callable[..., Any]
) -> None:
    harness.start()
    adapter = harness.project / "adapter"
    adapter.mkdir()
    served = deploy(
        harness,
        """
        import pathlib, sys
        if not pathlib.Path("adapter").is_dir():
            sys.exit(78)
        def answer(args): return "there"
        """,
    )
    harness.end(signal.SIGTERM)
    away = adapter.rename(harness.project / "away")
    api = harness.start()
    wait("it has failed", lambda: served.status() == "failed")
    away.rename(adapter)
    assert api.restart_model_deployment(*served.there).status == "pending"
    wait("it serves", lambda: _response(served) == "there")
    assert api.get_model_deployment(*served.there).stopped_at is None


def test_served_processes_end_without_a_workbench(
    harness: Any, deploy: Callable[..., Served], wait: Callable[..., Any]
) -> None:
    harness.settings["FTS_WORKBENCH_MODEL_ALONE_SECONDS"] = "2"
    harness.start()
    served = deploy(harness, ECHO)
    process = psutil.Process(_response(served)["pid"])
    watcher = process.parent()
    assert watcher is not None
    harness.end(signal.SIGKILL)
    assert process.is_running()
    wait("both are gone", lambda: not alive(process.pid) and not alive(watcher.pid))
    # One that comes back all the same serves the model again.
    harness.settings["FTS_WORKBENCH_MODEL_ALONE_SECONDS"] = "600"
    harness.start()
    wait("it serves again", lambda: served.call({})[0] == 200)


def test_killed_watcher_leaves_no_second_process(
    harness: Any, deploy: Callable[..., Served], wait: Callable[..., Any]
) -> None:
    harness.settings["FTS_WORKBENCH_MODEL_PAUSE_SECONDS"] = "0.01"
    harness.start()
    served = deploy(harness, ECHO)
    pid = served.call({})[1]["response"]["pid"]
    watcher = psutil.Process(pid).parent()
    assert watcher is not None
    watcher.kill()
    wait("another serves", lambda: (found := _response(served)) and found["pid"] != pid)
    assert not alive(pid)
    assert "watcher is gone" in served.log()


def _environment(process: psutil.Process) -> str:
    try:
        return process.environ().get("CDSW_ENGINE_ID", "") if process.pid != os.getpid() else ""
    except psutil.Error:
        return ""


def test_keys_and_tokens_are_neither_on_disk_nor_in_arguments(shared: Any, steady: Served) -> None:
    secrets = [shared.key.strip(), str(steady.model.access_key)]
    lines = [" ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])]
    assert any("served.py" in line for line in lines)
    stored = [p for p in (shared.home / "models").rglob("*") if p.is_file()]
    texts = [*lines, shared.log.read_text(), *(p.read_text() for p in stored)]
    assert not [text for text in texts if any(secret in text for secret in secrets)]
