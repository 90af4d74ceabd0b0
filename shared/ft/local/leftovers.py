"""Processes of a studio whose supervisor was killed: they hold its sockets and must go first."""

import psutil

from ft.local.home import Home
from ft.local.layout import ALL_PROCESSES, STOP_SECONDS


def end_leftovers(home: Home) -> int:
    """Ends what an earlier supervisor of this home left behind; returns how many there were.

    To be called only while no supervisor runs. Jobs are not touched: the next workbench finds
    them again.
    """
    found = [process for process in psutil.process_iter() if _belongs(process, home)]
    for process in found:
        process.terminate()
    _, stubborn = psutil.wait_procs(found, timeout=STOP_SECONDS)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=STOP_SECONDS)
    return len(found)


def _belongs(process: psutil.Process, home: Home) -> bool:
    """Whether it is a process of the studio with this home, and not a job or a child of one."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        _, *arguments = process.cmdline() or [""]
        return arguments in [
            ["-m", f"services.{name}"] for name in ALL_PROCESSES
        ] and process.environ().get("FTS_RUN_DIR") == str(home.run_dir)
    except psutil.Error:
        return False
