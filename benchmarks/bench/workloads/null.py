"""Raw bytes through one or two null servers."""

import subprocess
import sys
from pathlib import Path

from benchmarks.bench.connection import Connection
from benchmarks.bench.load import Call, Workload
from benchmarks.bench.null_server import SERVICE
from benchmarks.bench.processes import Processes
from benchmarks.bench.settings import ANSWER_SIZES

REQUEST = b"q" * 40
REPOSITORY = Path(__file__).parents[3]


class NullServers:
    """A server that answers on a unix socket, and one that forwards to it and listens on TCP.

    These are the sockets of a domain and of the facade.
    """

    def __init__(self, folder: Path) -> None:
        self._running: list[subprocess.Popen[str]] = []
        socket = f"unix:{folder}/null.sock"
        self.answering = self._start(socket)
        self.forwarding = self._start("127.0.0.1:0", socket)
        names = ("null answering", "null forwarding")
        pids = [process.pid for process in self._running]
        self.processes = Processes(dict(zip(names, pids, strict=True)))

    def _start(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "benchmarks.bench.null_server", *arguments]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        self._running.append(process)
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address:
            raise RuntimeError("a null server did not start; its reason is above")
        return address

    def stop(self) -> None:
        """Ends both."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


class NullCall(Workload):
    """A call that is answered with so many bytes."""

    def __init__(self, servers: NullServers, connection: Connection, hops: int, size: int) -> None:
        text = f"{size // 1000} kB" if size >= 1000 else f"{size} B"
        super().__init__(
            null_name(hops, size), f"null, {hops} hop{'s'[: hops - 1]}, {text}", servers.processes
        )
        self._connection = connection
        self._path = f"/{SERVICE}/Answer{size}"

    async def call(self) -> Call:
        return await self._connection.timed(self._path, REQUEST)


def null_name(hops: int, size: int) -> str:
    """Name of the line."""
    return f"null{hops}-{size}"


def nearest_size(answer_bytes: int) -> int:
    """Size of null answers that is closest by ratio."""
    return min(
        ANSWER_SIZES, key=lambda size: max(size, answer_bytes) / min(size, answer_bytes or 1)
    )
