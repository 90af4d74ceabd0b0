"""The process of one deployment: serves a function of a user's script on a loopback port.

It is started by its path in the interpreter of the jobs, and needs the standard library only.
Its first thread runs the script and then calls the function, one call after the other, as some
libraries are slow or unsafe elsewhere; other threads speak HTTP.
"""

import contextlib
import hmac
import importlib.util
import json
import os
import queue
import sys
import threading
import time
import traceback
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

READY = "ready.json"
TOKEN_VARIABLE = "FTS_MODEL_TOKEN"  # noqa: S105 - its name
NEVER = 78
"""Exit status of a script that is not to be tried again (EX_CONFIG)."""
SPOILT = 70
"""Exit status of a process in which a GPU has failed, so that it can answer nothing any more."""
MAX_REQUEST_BYTES = 2**20
MAX_WAITING = 32
"""Calls that may wait for their turn."""
PAUSE_SECONDS = 15.0
"""Longest pause between two checks that the workbench is there."""
DELIVERY_SECONDS = 5.0
"""Longest time for which a process that has failed waits until its caller has the answer."""
_GPU_FAILURES = ("cuda error", "cudnn error")
"""Words in the errors of torch after which each further use of the GPU fails as well."""

Function = Callable[[Any], Any]


class FunctionCall:
    """One call of the function, and later its outcome."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._done = threading.Event()
        self._status = HTTPStatus.OK
        self._body = b""
        self.spoilt = False
        """True if the process can answer no other call."""
        self.delivered = threading.Event()
        """Set once the caller has the answer, or is gone."""

    def make(self, function: Function) -> None:
        """Calls the function. A ValueError means a bad request; its message reaches the caller."""
        try:
            self._answer(function(self._request))
        except ValueError as error:
            self._fail(HTTPStatus.BAD_REQUEST, str(error))
        except Exception as error:
            self.spoilt = _spoils(error)
            traceback.print_exc()
            self._fail(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: {error}")
        self._done.set()

    def outcome(self) -> tuple[HTTPStatus, bytes]:
        """The answer, once there is one."""
        self._done.wait()
        return self._status, self._body

    def _answer(self, response: Any) -> None:
        try:
            self._body = json.dumps({"success": True, "response": response}).encode()
        except ValueError as error:
            raise TypeError(f"the function's result is not JSON: {error}") from error

    def _fail(self, status: HTTPStatus, message: str) -> None:
        self._status, self._body = status, _refusal(message)


class Server(ThreadingHTTPServer):
    """An HTTP server for those who have the token."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, token: str) -> None:
        super().__init__(("127.0.0.1", 0), CallHandler)
        self.token = token
        self.calls: queue.Queue[FunctionCall] = queue.Queue(MAX_WAITING)


class CallHandler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    timeout = 60
    """Seconds that a silent connection is kept."""

    def do_POST(self) -> None:
        """Hands the request in the body to the function."""
        given = self.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.server.token}".encode()):
            return self._answer(HTTPStatus.UNAUTHORIZED, _refusal("only the workbench may call"))
        try:
            size = int(self.headers.get("content-length", ""))
            if not 0 <= size <= MAX_REQUEST_BYTES:
                return self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _refusal("too large"))
            call = FunctionCall(json.loads(self.rfile.read(size)))
            self.server.calls.put_nowait(call)
        except (ValueError, RecursionError):
            return self._answer(HTTPStatus.BAD_REQUEST, _refusal("the body is not JSON"))
        except queue.Full:
            message = f"busy: {MAX_WAITING} calls wait already"
            return self._answer(HTTPStatus.TOO_MANY_REQUESTS, _refusal(message))
        try:
            self._answer(*call.outcome())
        finally:
            call.delivered.set()

    def log_message(self, *_: object) -> None:
        """Logs nothing: callers and their requests are not recorded."""

    def _answer(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _refusal(message: str) -> bytes:
    return json.dumps({"success": False, "errors": [message]}).encode()


def _say(what: str) -> None:
    # To the deployment's log, if it takes anything: a full disk must not end what serves.
    with contextlib.suppress(OSError):
        os.write(1, f"[workbench] {what}\n".encode(errors="backslashreplace"))


def _spoils(error: BaseException | None) -> bool:
    """Returns True if the error, or one of its causes, means that the GPU has failed for this
    process. Running out of memory does not."""
    while error is not None:
        text = str(error).lower()
        if any(words in text for words in _GPU_FAILURES) and "out of memory" not in text:
            return True
        error = error.__cause__ or error.__context__
    return False


def _end_without(workbench: str, seconds: float) -> None:
    """Ends the process once the workbench was away for `seconds`: nobody can call it then."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    seen = time.monotonic()
    while time.monotonic() - seen < seconds:
        time.sleep(min(seconds / 4, PAUSE_SECONDS))
        try:
            direct.open(f"{workbench}/healthz", timeout=PAUSE_SECONDS).close()
            seen = time.monotonic()
        except (OSError, HTTPException):
            continue
    _say(f"the workbench has not answered for {seconds:g} s; the process ends")
    os._exit(0)


def _load_function(script: Path, name: str) -> Function:
    """Runs the script as its own interpreter would, and returns the function of that name."""
    sys.path[0] = str(script.parent)
    spec = importlib.util.spec_from_file_location("model_script", script)
    if spec is None or spec.loader is None:
        raise ImportError(f"{script} is not a Python script")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    function: Function = getattr(module, name)
    return function


def main() -> int:
    """Serves the function that the arguments name; the folder gets the port once it can be called.

    Returns the exit status NEVER if the script cannot be served at all.
    """
    script, name, folder, workbench, alone = sys.argv[1:]
    server = Server(os.environ.pop(TOKEN_VARIABLE))
    begin = time.monotonic()
    try:
        function = _load_function(Path(script), name)
    except (ImportError, SyntaxError, AttributeError):
        traceback.print_exc()
        return NEVER
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=_end_without, args=(workbench, float(alone)), daemon=True).start()
    ready = Path(folder) / READY
    partial = ready.with_suffix(".partial")
    partial.write_text(json.dumps({"port": server.server_port}))
    partial.replace(ready)
    _say(f"loaded in {time.monotonic() - begin:.1f} s, and serving")
    while True:
        call = server.calls.get()
        call.make(function)
        if call.spoilt:
            _say("a GPU has failed in this process, which can answer nothing any more; it ends")
            call.delivered.wait(DELIVERY_SECONDS)
            # At an orderly end, libraries may wait for the GPU.
            os._exit(SPOILT)


if __name__ == "__main__":
    sys.exit(main())
