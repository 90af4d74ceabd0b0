"""A hub for tests, on the loopback interface.

It implements the parts of the hub's HTTP API that `huggingface_hub` and `datasets` use, with faults
that a test can request.
"""

import hashlib
import json
import re
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "a" * 40
_API = re.compile(r"/api/(?P<kind>models|datasets)/(?P<name>[^/]+/[^/]+)(/(?P<what>.*))?")
_FILE = re.compile(
    r"/(?P<kind>datasets/)?(?P<name>[^/]+/[^/]+)/resolve/(?P<commit>[^/]+)/(?P<file>.*)"
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
RETRY_AFTER = {"Retry-After": "3600"}


@dataclass(frozen=True)
class Repo:
    """A repository of the hub, and its faults."""

    kind: Literal["model", "dataset"]
    name: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    commit: str = COMMIT
    """The newest one, of which the files are."""
    earlier: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    """Files of the commits before it. Others are not there any more."""
    readers: tuple[str, ...] = ()
    """Tokens that may read it, where it is gated or private."""
    gated: bool = False
    """Everybody sees that it is there; its files are for readers."""
    private: bool = False
    """For others it is not there."""
    linked: bool = False
    """Its files lie in a storage of another origin, as large ones do."""
    seconds: float = 0
    """How long it takes over each answer."""
    status: int = 0
    """Each answer is this one, with `code` and `message` as the hub's words for it."""
    code: str = ""
    message: str = ""
    fault: Literal["", "reset", "truncated", "not_json", "trickle", "endless"] = ""
    """What happens to each body: the connection is reset before it or ends within it, it is a page
    for people, it comes byte by byte, or it does not end."""
    where: str = ""
    """Part of the paths that are slow or broken; empty means all."""


@dataclass(frozen=True)
class HubRequest:
    """A request that the hub has received."""

    method: str
    path: str
    authorization: str


class TestHub:
    """Repositories of the hub, and the requests that it has received."""

    __test__ = False

    def __init__(self, repos: tuple[Repo, ...], tokens: tuple[str, ...]) -> None:
        self.repos = {(repo.kind, repo.name): repo for repo in repos}
        self.tokens = tokens
        """Tokens of the hub's users. Others are refused, whatever is asked for."""
        self.asked: list[HubRequest] = []
        self.asked_of_storage: list[HubRequest] = []
        self.endpoint = ""
        self.storage = ""
        self.over = Event()
        """Ends what is slow."""

    def environment(self, home: str) -> dict[str, str]:
        """Variables of a process that asks this hub; `home` is where the libraries keep caches."""
        return {"HF_ENDPOINT": self.endpoint, "HF_HUB_OFFLINE": "0", "HF_HOME": home}

    def asked_about(self, name: str) -> list[HubRequest]:
        """Requests about the repository of that name."""
        return [asked for asked in self.asked if name in asked.path]

    def wait_for(self, name: str, seconds: float = 20.0) -> None:
        """Returns when the repository of that name was asked about. Raises AssertionError."""
        end = time.monotonic() + seconds
        while not self.asked_about(name):
            assert time.monotonic() < end, f"nobody asks about {name}"
            time.sleep(0.01)


@contextmanager
def hub(*repos: Repo, tokens: tuple[str, ...] = ()) -> Iterator[TestHub]:
    """Serves these repositories while the block runs."""
    served = TestHub(repos, tokens)
    with (
        _serving(_HubHandler, served) as served.endpoint,
        _serving(_StorageHandler, served) as served.storage,
    ):
        yield served


@contextmanager
def _serving(handler: type["_Handler"], hub: TestHub) -> Iterator[str]:
    bound = type(handler.__name__, (handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    server.daemon_threads = True
    server.block_on_close = False
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        hub.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: TestHub
    protocol_version = "HTTP/1.1"
    repo: Repo | None = None

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def note(self) -> HubRequest:
        return HubRequest(self.command, self.path, self.headers.get("Authorization", ""))

    def refuse(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Code": code} if code else {}
        body = json.dumps({"error": message}).encode()
        self.send(status, body, {**headers, "X-Error-Message": message})

    def send_file(self, content: bytes, headers: Mapping[str, str]) -> None:
        """The file, or the part of it that was asked for."""
        part = _RANGE.fullmatch(self.headers.get("Range", ""))
        headers = {"Accept-Ranges": "bytes", **headers}
        if part is None:
            return self.send(200, content, headers)
        first = int(part[1])
        last = min(int(part[2] or len(content)), len(content) - 1)
        span = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        return self.send(206, content[first : last + 1], {**headers, **span})

    def send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """The answer, with what is wrong with the repository."""
        fault = ""
        if self.repo is not None and self.repo.where in self.path:
            self.hub.over.wait(self.repo.seconds)
            fault = self.repo.fault
        if fault == "reset":
            at_once = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            self.connection.close()
            self.close_connection = True
            return None
        if fault == "not_json":
            body, headers = b"<html>a page</html>", {**headers, "Content-Type": "text/html"}
        self.send_response(status)
        length = 1 << 40 if fault == "endless" else len(body)
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(body, fault)
        return None

    def _send_body(self, body: bytes, fault: str) -> None:
        if fault == "truncated":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif fault in ("trickle", "endless"):
            while not self.hub.over.wait(0.2 if fault == "trickle" else 0):
                self.wfile.write(b" " if fault == "trickle" else bytes(1 << 20))
        else:
            self.wfile.write(body)

    def handle(self) -> None:
        """Until the other side hangs up, as it may in the middle of a slow answer."""
        try:
            super().handle()
        except (OSError, ValueError):
            self.close_connection = True

    def finish(self) -> None:
        """Leaves a connection that is reset already."""
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True


class _StorageHandler(_Handler):
    """Storage of large files, which needs no token."""

    def _answer(self) -> None:
        self.hub.asked_of_storage.append(self.note())
        _, kind, owner, name, file = self.path.split("/", 4)
        repo = self.hub.repos["model" if kind == "model" else "dataset", f"{owner}/{name}"]
        self.send_file(repo.files[unquote(file)], {})

    do_GET = do_HEAD = _answer


class _HubHandler(_Handler):
    def _answer(self) -> None:
        self.hub.asked.append(self.note())
        url = urlsplit(self.path)
        self._sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if url.path == "/api/agent-harnesses":
            return self.send(200, b"{}", {})
        api, file = _API.fullmatch(url.path), _FILE.fullmatch(url.path)
        found = api or file
        if found is None:
            return self.refuse(404, "", "Not Found")
        kind: Literal["model", "dataset"] = (
            "dataset" if (found["kind"] or "").startswith("datasets") else "model"
        )
        self.repo = self.hub.repos.get((kind, unquote(found["name"])))
        if self._refused(api is not None):
            return None
        assert self.repo is not None
        what = unquote(api["what"] or "") if api is not None else ""
        # As in `revision/<name>` or `tree/<name>/<folder>`.
        revision = file["commit"] if file is not None else what.partition("/")[2].split("/")[0]
        repo = _at(self.repo, revision)
        if repo is None:
            return self.refuse(404, "RevisionNotFound", "Invalid rev id")
        if api is not None:
            return self._tell(repo, what)
        assert file is not None
        return self._hand_out(repo, unquote(file["file"]))

    do_GET = do_HEAD = do_POST = _answer

    def _refused(self, about: bool) -> bool:
        """Refuses the request if needed, and returns whether it did.

        `about` is true for requests for information, false for requests for files.
        """
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        repo = self.repo
        if token and token not in self.hub.tokens:
            self.refuse(401, "", "Invalid credentials in Authorization header")
        elif repo is None or (repo.private and token not in repo.readers):
            # Who is not known is not told whether there is such a repository.
            self.refuse(404 if token else 401, "RepoNotFound", "Repository not found")
        elif repo.status and repo.where in self.path:
            self.hub.over.wait(repo.seconds)
            if repo.status == 429:
                self.send(429, b"{}", RETRY_AFTER)
            else:
                # As bad hubs do: the request is repeated in the answer.
                message = repo.message or f"refused: {self.headers.get('Authorization')}"
                self.refuse(repo.status, repo.code, message)
        elif repo.gated and not about and token not in repo.readers:
            self.refuse(403 if token else 401, "GatedRepo", f"Access to {repo.name} is restricted")
        else:
            return False
        return True

    def _tell(self, repo: Repo, what: str) -> None:
        files: list[dict[str, object]] = []
        for path, content in repo.files.items():
            oid = hashlib.sha1(content, usedforsecurity=False).hexdigest()
            files.append({"type": "file", "path": path, "size": len(content), "oid": oid})
        if what.startswith("paths-info/"):
            wanted = parse_qs(self._sent.decode()).get("paths", [])
            return self._json([file for file in files if file["path"] in wanted])
        if what.startswith("tree/"):
            return self._list(files, what.split("/", 2)[2] if what.count("/") > 1 else "")
        siblings = [{"rfilename": path} for path in repo.files]
        facts = {"id": repo.name, "sha": repo.commit, "siblings": siblings, "tags": []}
        gated = "manual" if repo.gated else False
        return self._json({**facts, "private": repo.private, "gated": gated, "disabled": False})

    def _list(self, files: list[dict[str, object]], folder: str) -> None:
        """Sends the entries of a folder, with those below it if the request is recursive."""
        start = f"{folder}/" if folder else ""
        within = [file for file in files if str(file["path"]).startswith(start)]
        if folder and not within:
            return self.refuse(404, "EntryNotFound", f"{folder} does not exist")
        if "recursive=true" in self.path.lower():
            return self._json(within)
        rests = {str(file["path"]).removeprefix(start): file for file in within}
        direct = [file for rest, file in rests.items() if "/" not in rest]
        folders = {rest.split("/")[0] for rest in rests if "/" in rest}
        for name in sorted(folders):
            direct.append({"type": "directory", "path": start + name, "size": 0, "oid": "d" * 40})
        return self._json(direct)

    def _json(self, value: object) -> None:
        self.send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _hand_out(self, repo: Repo, file: str) -> None:
        commit = {"X-Repo-Commit": repo.commit}
        content = repo.files.get(file)
        if content is None:
            self.repo = None
            return self.refuse(404, "EntryNotFound", "Entry not found")
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        if not repo.linked:
            return self.send_file(content, {**commit, "ETag": etag})
        linked = {"X-Linked-Etag": etag, "X-Linked-Size": str(len(content))}
        place = {"Location": f"{self.hub.storage}/{repo.kind}/{repo.name}/{file}"}
        return self.send(302, b"", {**commit, **linked, **place})


def _at(repo: Repo, revision: str) -> Repo | None:
    """The repository as it was at a commit; as it is for a branch. None if the commit is gone."""
    if not _COMMIT.fullmatch(revision) or revision == repo.commit:
        return repo
    files = repo.earlier.get(revision)
    return None if files is None else replace(repo, commit=revision, files=files)
