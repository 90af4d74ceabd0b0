"""Processes of a studio whose supervisor was killed: they hold its sockets and must end first."""

from ft.local.home import Home
from ft.local.layout import ALL_PROCESSES, STOP_SECONDS


def end_leftovers(home: Home) -> int:
    """Ends the processes that an earlier supervisor of this home has left; returns their number.

    Call it only while no supervisor runs. Jobs are not ended: the next workbench finds them.
    """
    # Here, because most commands start and stop nothing.
    import psutil

    commands = [["-m", f"services.{name}"] for name in ALL_PROCESSES]
    found = []
    for process in psutil.process_iter():
        try:
            # Jobs and their children have other commands.
            if process.status() == psutil.STATUS_ZOMBIE or process.cmdline()[1:] not in commands:
                continue
            if process.environ().get("FTS_RUN_DIR") == str(home.run_dir):
                found.append(process)
        except psutil.Error:
            continue
    for process in found:
        process.terminate()
    _, stubborn = psutil.wait_procs(found, timeout=STOP_SECONDS)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=STOP_SECONDS)
    return len(found)
