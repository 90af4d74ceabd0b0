"""A hub on the loopback interface that has one data set, for what must speak to one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

NAME = "tatsu-lab/alpaca"
COLUMNS = ("instruction", "input", "output", "text")
_COMMIT = "a" * 40
_CARD = "\n".join(
    [
        "---",
        "dataset_info:",
        "  features:",
        *(f"  - name: {column}\n    dtype: string" for column in COLUMNS),
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        "    path: train.jsonl",
        "---",
        "",
    ]
).encode()
_FILES = [
    {"type": "file", "path": path, "size": 1, "oid": oid * 40}
    for path, oid in (("README.md", "1"), ("train.jsonl", "2"))
]
_REPOSITORY = {
    "id": NAME,
    "sha": _COMMIT,
    "siblings": [{"rfilename": file["path"]} for file in _FILES],
    "tags": [],
    "private": False,
    "gated": False,
}


class _Hub(BaseHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        headers = {}
        if path.startswith(f"/api/datasets/{NAME}/tree/"):
            body = json.dumps(_FILES).encode()
        elif path.startswith(f"/api/datasets/{NAME}"):
            body = json.dumps(_REPOSITORY).encode()
        elif path == f"/datasets/{NAME}/resolve/main/README.md":
            body = _CARD
            headers = {"ETag": '"card"', "X-Repo-Commit": _COMMIT}
        else:
            body = b""
            headers = {"X-Error-Code": "EntryNotFound"}
        self.send_response(200 if body else 404)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET


@contextmanager
def hub() -> Iterator[str]:
    """Serves while the block runs; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
