"""Processes of a run whose watcher is gone."""

import contextlib

import psutil


def kill(run_id: str) -> int:
    """Kill every process that carries the run's id in its environment, those of its workers too;
    return how many."""
    killed = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            if run_id in (environment.get("CDSW_ENGINE_ID"), environment.get("CDSW_MASTER_ID")):
                process.kill()
                killed += 1
    return killed
