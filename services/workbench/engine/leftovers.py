"""Processes of a run whose watcher is gone."""

import contextlib

import psutil


def kill(run_id: str) -> int:
    """Kill every process that carries the run's id in its environment; return how many."""
    killed = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("CDSW_ENGINE_ID") == run_id:
                process.kill()
                killed += 1
    return killed
