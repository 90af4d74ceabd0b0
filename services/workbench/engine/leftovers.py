"""Processes of a run or deployment whose watcher has ended."""

import contextlib

import psutil

from ft.job_protocol.variables import MASTER_ID, RUN_ID


def kill(engine_id: str) -> int:
    """Kills every process that has that id in its environment, including the workers of a run.
    Returns their number."""
    killed = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            if engine_id in (environment.get(RUN_ID), environment.get(MASTER_ID)):
                process.kill()
                killed += 1
    return killed
