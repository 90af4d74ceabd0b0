"""The process supervisor (supervisord) of a studio on this machine, over its unix socket."""

import http.client
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ft.local.errors import NotServing
from ft.local.home import Home
from ft.local.layout import GROUP

POLL_SECONDS = 0.05
START_SECONDS = 20.0
_GONE = (OSError, http.client.HTTPException)
"""What a call raises when no supervisor listens at the socket."""


class _StoppingError(Exception):
    """The supervisor stops: it refuses every call until it has ended."""


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """A process as the supervisor reports it."""

    state: str
    """STARTING, RUNNING, BACKOFF, STOPPING, EXITED, STOPPED, FATAL or UNKNOWN."""
    pid: int
    """0 if it does not run."""
    uptime: int
    """Seconds; 0 if it does not run."""


class Supervisor:
    """Starts, queries and stops the supervisor of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def running(self) -> bool:
        """True if it answers, also while it stops."""
        try:
            self._call("getState")
        except _GONE:
            return False
        except _StoppingError:
            pass
        return True

    def await_stop(self, seconds: float) -> bool:
        """Waits for the end of a supervisor that stops. Returns False if that takes too long.

        Returns True at once if none runs, or if it does not stop.
        """
        try:
            self._call("getState")
        except _StoppingError:
            return self._ended(seconds)
        except _GONE:
            pass
        return True

    def launch(self, environment: Mapping[str, str]) -> None:
        """Starts it in the background with that environment, and waits until it answers.

        Raises NotServing, with its output, if it does not.
        """
        config = str(self._home.supervisor_config)
        command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", config]
        try:
            ran = subprocess.run(  # noqa: S603
                command,
                cwd=self._home.path,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=START_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise NotServing(f"the supervisor did not start within {START_SECONDS:g} s") from None
        if ran.returncode:
            raise NotServing(f"the supervisor did not start: {(ran.stderr or ran.stdout).strip()}")
        deadline = time.monotonic() + START_SECONDS
        while not self.running():
            if time.monotonic() > deadline:
                raise NotServing(
                    f"the supervisor does not answer; its log is {self._home.supervisor_log}"
                )
            time.sleep(POLL_SECONDS)

    def processes(self) -> dict[str, ProcessInfo]:
        """All processes by name; none if the supervisor does not run, or stops."""
        try:
            found = self._call("getAllProcessInfo")
        except (*_GONE, _StoppingError):
            return {}
        return {
            info["name"]: ProcessInfo(
                state=info["statename"],
                pid=info["pid"],
                uptime=info["now"] - info["start"] if info["pid"] else 0,
            )
            for info in found
        }

    def start(self, name: str) -> None:
        """Starts a process unless it runs already. Raises NotServing if the supervisor has ended or
        stops."""
        from supervisor.xmlrpc import Faults

        try:
            self._call("startProcess", f"{GROUP}:{name}", False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.ALREADY_STARTED:
                raise
        except (*_GONE, _StoppingError):
            raise self.stopped_meanwhile() from None

    def stopped_meanwhile(self) -> NotServing:
        """Makes the error for a supervisor that somebody stops while the studio starts."""
        return NotServing(f"the supervisor was stopped; its log is {self._home.supervisor_log}")

    def shutdown(self, seconds: float) -> bool:
        """Stops all processes, then the supervisor. Returns False if that takes too long."""
        try:
            self._call("shutdown")
        except _GONE:
            return True
        except _StoppingError:
            pass
        return self._ended(seconds)

    def _ended(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        # Removing the pid file is the last thing it does. The pid itself says less: where nobody
        # reaps it, as in a container without an init, it stays.
        while self._home.supervisor_pid.exists():
            # It looks at its processes once a second, and whenever it is called.
            self.running()
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _call(self, method: str, *arguments: object) -> Any:
        # Here, because most commands do without the supervisor and its imports.
        from supervisor.xmlrpc import Faults, SupervisorTransport

        # The host is not used: the transport goes to the socket.
        transport = SupervisorTransport(
            None, None, serverurl=f"unix://{self._home.supervisor_socket}"
        )
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == Faults.SHUTDOWN_STATE:
                raise _StoppingError from None
            raise
        finally:
            transport.close()
