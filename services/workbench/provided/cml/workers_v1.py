"""Workers of a run, with the interface of a workspace.

Here they are child processes of the run: the run ends with the last of them, and all of them end
with the run. They share the run's resources, see `FTS_NUM_WORKERS`.
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

STOP_SECONDS = 5.0
"""Time between TERM and KILL."""
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class _Worker:
    id: str
    process: subprocess.Popen[bytes]
    gpus: tuple[str, ...]

    def described(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "status": self.status,
            "exit_code": self.process.returncode,
            "ip_address": "127.0.0.1",
        }

    @property
    def status(self) -> str:
        status = self.process.poll()
        if status is None:
            return "running"
        return "failed" if status else "succeeded"


_workers: dict[str, _Worker] = {}


def launch_workers(
    n: int,
    cpu: float,  # noqa: ARG001 - the run was granted it for all of its workers
    memory: float,  # noqa: ARG001
    nvidia_gpu: int = 0,
    kernel: str = "python3",  # noqa: ARG001 - the run's own
    script: str = "",
    code: str = "",
    env: Mapping[str, str] | None = None,
    **_: Any,
) -> list[dict[str, Any]]:
    """Starts `n` workers that run a script or code; returns a description of each, with its `id`.

    Raises ValueError if there is nothing to run, or if the run has too few GPUs.
    """
    if not script and not code:
        raise ValueError("launch_workers: script or code is required")
    command = [sys.executable, script] if script else [sys.executable, "-c", code]
    return [_launch(command, nvidia_gpu, env or {}).described() for _ in range(n)]


def list_workers() -> list[dict[str, Any]]:
    """Describes every worker of this run, including those that have ended."""
    return [worker.described() for worker in _workers.values()]


def await_workers(
    ids: Iterable[Any], wait_for_completion: bool = True, timeout_seconds: float = 60
) -> dict[str, list[dict[str, Any]]]:
    """Waits until the workers run, or have ended. `failures` are the workers that did not start."""
    waited = [_workers[one["id"] if isinstance(one, dict) else one] for one in ids]
    deadline = time.monotonic() + timeout_seconds
    while (
        wait_for_completion
        and any(worker.status == "running" for worker in waited)
        and time.monotonic() < deadline
    ):
        time.sleep(LOOK_SECONDS)
    bad = ("failed", "running") if wait_for_completion else ("failed",)
    return {
        "workers": list_workers(),
        "failures": [worker.described() for worker in waited if worker.status in bad],
    }


def stop_workers(*worker_id: str) -> list[dict[str, Any]]:
    """Ends the workers; returns once they have ended."""
    stopped = [_workers[id] for id in worker_id]
    for worker in stopped:
        if worker.process.poll() is None:
            worker.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for worker in stopped:
        try:
            worker.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.process.kill()
            # Not without a limit: a handler of signals may have interrupted another wait.
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(STOP_SECONDS)
    return [worker.described() for worker in stopped]


def _launch(command: list[str], gpus: int, environment: Mapping[str, str]) -> _Worker:
    id = uuid.uuid4().hex[:16]
    granted = _free_gpus(gpus)
    platform = {
        "CDSW_ENGINE_ID": id,
        "CDSW_ENGINE_TYPE": "worker",
        "CDSW_MASTER_ID": os.environ.get("CDSW_ENGINE_ID", ""),
        "CDSW_MASTER_IP": "127.0.0.1",
        "CUDA_VISIBLE_DEVICES": ",".join(granted),
    }
    process = subprocess.Popen(  # noqa: S603 - to run what users wrote is the purpose
        command,
        env={**os.environ, **environment, **platform},
        stdin=subprocess.DEVNULL,
    )
    _workers[id] = _Worker(id, process, granted)
    return _workers[id]


def _free_gpus(wanted: int) -> tuple[str, ...]:
    # From the last one on: the run's own process uses the first.
    held = [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu]
    taken = {gpu for w in _workers.values() if w.status == "running" for gpu in w.gpus}
    free = [gpu for gpu in reversed(held) if gpu not in taken]
    if wanted > len(free):
        raise ValueError(f"launch_workers: {wanted} GPUs are wanted, and {len(free)} are free")
    return tuple(free[:wanted])
