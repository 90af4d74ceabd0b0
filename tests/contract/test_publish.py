"""The facade publishes its address in a workspace by changing the project's variables alone."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support import ServiceProcess, until

pytestmark = pytest.mark.starts_processes

PROJECT = "/api/v2/projects/abcd-efgh"
READ_ONLY = ("owner", "creator", "id", "created_at", "permissions", "creation_status")


class StrictWorkspace:
    """A workspace that refuses a PATCH with fields that are not the caller's to set, and whose
    project another person edits as soon as it was read."""

    def __init__(self) -> None:
        person = {"username": "somebody", "name": "Some Body", "email": "some@body"}
        self.project: dict[str, Any] = {
            "id": "abcd-efgh",
            "name": "Studio",
            "description": "before",
            "owner": person,
            "creator": person,
            "visibility": "private",
            "permissions": {"read": True, "write": True},
            "created_at": "2026-01-02T03:04:05.678Z",
            "creation_status": "success",
            "shared_memory_limit": 8,
            "environment": json.dumps({"THEIRS": "kept", "NUMBER": 1}),
        }
        self.patches: list[dict[str, Any]] = []
        workspace = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(200, workspace.project)
                workspace.project |= {"description": "edited", "shared_memory_limit": 16}

            def do_PATCH(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                workspace.patches.append(body)
                refused = [name for name in READ_ONLY if name in body]
                if refused or self.path != PROJECT:
                    message = f"{refused}: may not be set"
                    self.answer(403, {"error": message, "code": 7, "message": message})
                    return
                workspace.project |= body
                self.answer(200, workspace.project)

            def answer(self, status: int, content: dict[str, Any]) -> None:
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def workspace() -> Iterator[StrictWorkspace]:
    found = StrictWorkspace()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_published_address_keeps_concurrent_edits(
    workspace: StrictWorkspace, tmp_path: Path
) -> None:
    facade = ServiceProcess(
        "facade",
        tmp_path,
        FTS_LISTEN="127.0.0.1:0",
        CDSW_API_URL=f"{workspace.url}/api/v1",
        CDSW_APIV2_KEY="key",
        CDSW_PROJECT_ID="abcd-efgh",
        CDSW_IP_ADDRESS="10.1.2.3",
    )
    try:
        until("the address is published", lambda: "10.1.2.3" in workspace.project["environment"])
        assert [set(patch) for patch in workspace.patches] == [{"environment"}]
        variables = json.loads(workspace.project["environment"])
        assert variables.pop("FINE_TUNING_SERVICE_PORT").isdecimal()
        assert variables == {"THEIRS": "kept", "NUMBER": 1, "FINE_TUNING_SERVICE_IP": "10.1.2.3"}
        assert workspace.project["description"] == "edited"
        assert workspace.project["shared_memory_limit"] == 16
        assert workspace.project["owner"]["username"] == "somebody"
    finally:
        facade.kill()
