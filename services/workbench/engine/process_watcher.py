"""The watcher of one run: a small process of its own that outlives the workbench.

It starts the run's script, ends it and all its descendants on SIGTERM or when time is up, and
leaves the outcome in the run's folder, so that a workbench that was away learns it later. It
stands alone, by its path, and reads what to do from its standard input: nothing of a run's
environment, which may hold tokens, appears in an argument or a file.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

CLAIM = "claim.json"
STARTED = "started.json"
ENDED = "ended.json"

EXITED, STOPPED, TIMED_OUT = "exited", "stopped", "timed out"
COMMAND_NOT_FOUND = 127
_PR_SET_CHILD_SUBREAPER = 36
_RESCAN_SECONDS = 0.05


def process_mark(pid: int) -> str | None:
    """A text that differs for a later process with the same pid; None if the process is gone.

    On Linux it is made of the boot and the clock ticks since, which no change of the clock moves.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        # Another system than Linux, or no such process.
        try:
            process = psutil.Process(pid)
            gone = process.status() == psutil.STATUS_ZOMBIE
            return None if gone else f"{process.create_time():.1f}"
        except psutil.NoSuchProcess:
            return None
    state, *fields = stat.rpartition(")")[2].split()
    if state in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}:{fields[18]}"


def now() -> str:
    """The present time, as it is written into a run's folder."""
    return datetime.now(UTC).isoformat()


def write_durably(path: Path, content: dict[str, Any]) -> None:
    """Writes `path` so that it is there whole or not at all, even after a power cut."""
    temporary = _synced(path, content)
    temporary.replace(path)
    _sync_folder(path.parent)


def claim(folder: Path, owner: dict[str, Any]) -> bool:
    """Takes the one right to begin this attempt; returns False if another has it."""
    temporary = _synced(folder / CLAIM, owner)
    try:
        os.link(temporary, folder / CLAIM)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    _sync_folder(folder)
    return True


def _synced(path: Path, content: dict[str, Any]) -> Path:
    temporary = path.with_suffix(f".{os.getpid()}")
    with temporary.open("w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ProcessWatcher:
    """Watches one run from its start to the end of its last process."""

    def __init__(self, spec: dict[str, Any], wakeup: int) -> None:
        self._folder = Path(spec["folder"])
        self._spec = spec
        self._wakeup = wakeup
        self._main: int | None = None
        self._exit_code: int | None = None
        self._deadline: float | None = None
        self._outcome = EXITED
        self._kill_at: float | None = None
        self._terminated: set[psutil.Process] = set()
        self.stop_requested = False

    def begin(self) -> None:
        """Starts the script in a session and process group of its own."""
        try:
            child = subprocess.Popen(  # noqa: S603 - to run what users wrote is the purpose
                self._spec["command"],
                cwd=self._spec["cwd"],
                env=self._spec["environment"],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            _say(f"the script could not be started: {error}")
            self._exit_code = COMMAND_NOT_FOUND
            return
        self._main = child.pid
        child.returncode = 0  # reaped by `finish`, not by the object
        if self._spec["timeout"]:
            self._deadline = time.monotonic() + self._spec["timeout"]
        content = {"pid": child.pid, "mark": process_mark(child.pid), "at": now()}
        write_durably(self._folder / STARTED, content)

    def finish(self) -> None:
        """Watches until no process of the run is left, then records the outcome."""
        while True:
            with contextlib.suppress(ChildProcessError):
                while (found := os.waitpid(-1, os.WNOHANG))[0]:
                    if found[0] == self._main:
                        self._exit_code = os.waitstatus_to_exitcode(found[1])
            self._decide()
            left = psutil.Process().children(recursive=True)
            if self._kill_at is not None:
                self._signal(left)
            if self._exit_code is not None and not left:
                break
            self._wait()
        ended = {"outcome": self._outcome, "exit_code": self._exit_code, "at": now()}
        write_durably(self._folder / ENDED, ended)

    def _decide(self) -> None:
        """Sets the time at which what is left is killed, once the run is to end or has ended."""
        if self._kill_at is not None:
            return
        if self._exit_code is None:
            if self.stop_requested:
                self._outcome = STOPPED
            elif self._deadline is not None and time.monotonic() >= self._deadline:
                if not self._spec["kill_on_timeout"]:
                    _say(f"the run exceeds its timeout of {self._spec['timeout']} s, and continues")
                    self._deadline = None
                    return
                _say(f"the run exceeds its timeout of {self._spec['timeout']} s, and is ended")
                self._outcome = TIMED_OUT
            else:
                return
        self._kill_at = time.monotonic() + self._spec["grace"]

    def _signal(self, processes: list[psutil.Process]) -> None:
        assert self._kill_at is not None
        over = time.monotonic() >= self._kill_at
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                if over:
                    process.kill()
                elif process not in self._terminated:
                    self._terminated.add(process)
                    process.terminate()

    def _wait(self) -> None:
        pause = None
        if self._kill_at is not None:
            pause = _RESCAN_SECONDS
        elif self._deadline is not None:
            pause = max(0.0, self._deadline - time.monotonic())
        if select.select([self._wakeup], [], [], pause)[0]:
            os.read(self._wakeup, 4096)


def _say(what: str) -> None:
    # To the run's output, if it takes anything: a full disk must not end the watcher.
    with contextlib.suppress(OSError):
        os.write(1, f"[workbench] {what}\n".encode(errors="backslashreplace"))


def main() -> None:
    """Does what standard input says, once."""
    spec = json.load(sys.stdin)
    wakeup, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    watcher = ProcessWatcher(spec, wakeup)

    def stop(*_: object) -> None:
        watcher.stop_requested = True

    signal.signal(signal.SIGTERM, stop)
    # Handlers that do nothing, because to ignore a signal would be passed on to the script.
    for passed_over in (signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
        signal.signal(passed_over, lambda *_: None)
    # A process that left its session and lost its parent then becomes our child, not init's, and
    # is found like any other descendant. Elsewhere than on Linux it gets away.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    owner = {"pid": os.getpid(), "mark": process_mark(os.getpid())}
    if claim(Path(spec["folder"]), owner):
        watcher.begin()
        watcher.finish()


if __name__ == "__main__":
    main()
