"""Agent of one worker: torch elastic, in a process on the worker's machine."""

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ft.enums import FailureKind
from ft.job_protocol.exit_status import STOPPED
from ft.job_protocol.variables import MASTER_IP, MASTER_PORT, NODE_RANK
from rows.errors import first_line
from trainer.job.arguments import fine_tune_arguments
from trainer.job.claim import attempt
from trainer.job.ranks import is_loopback
from trainer.job.run import log_to_output, quiet_libraries
from trainer.workers.outcome import WorkerFiles, WorkerOutcome, ended
from trainer.workers.parent_process import BINDING, end_with_parent

JOIN_SECONDS = 300
"""Time limit for the workers to find each other once all of them run."""
UP_SECONDS = 900
"""Time limit for a workspace to start them."""
STOP_SECONDS = 3
"""Time limit for a worker to stop."""


def main() -> int:
    """Runs the worker that the environment asks for. Returns the exit status."""
    end_with_parent(os.getppid())
    arguments = fine_tune_arguments(os.environ)
    rank = int(os.environ[NODE_RANK])
    files = WorkerFiles(Path(arguments.train_out_dir), attempt(os.environ))
    if rank > 0:
        descriptor = os.open(files.log(rank), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for standard in (1, 2):
            os.dup2(descriptor, standard)
        os.close(descriptor)
    log_to_output()
    quiet_libraries()
    if is_loopback(os.environ[MASTER_IP]):
        # Workers on one machine need no network, and its host name may resolve to an address that
        # cannot be reached.
        loopback = "lo" if sys.platform == "linux" else "lo0"
        for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME", "TP_SOCKET_IFNAME"):
            os.environ.setdefault(name, loopback)

    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import elastic_launch

    launch = elastic_launch(_config(rank, arguments.dist_num, os.environ), sys.executable)
    try:
        launch("-m", "trainer.commands.worker", str(os.getpid()))
    except SignalException:
        return STOPPED
    except ChildFailedError as error:
        [failure] = error.failures.values()
        files.write(ended(rank, failure.exitcode))
        return 1
    except Exception as error:
        reason = "did not find the others"
        files.write(WorkerOutcome(rank, FailureKind.ERROR, reason, first_line(error)))
        logging.getLogger(__name__).exception("Worker %d %s", rank, reason)
        return 1
    return 0


def _config(rank: int, workers: int, environment: Mapping[str, str]) -> Any:
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.launcher.api import LaunchConfig

    # The first worker starts when the others run; these wait for it from their own start.
    patience = JOIN_SECONDS if rank == 0 else UP_SECONDS + JOIN_SECONDS
    return LaunchConfig(
        min_nodes=workers,
        max_nodes=workers,
        nproc_per_node=1,
        run_id="workers",
        rdzv_backend="static",
        rdzv_endpoint=f"{environment[MASTER_IP]}:{environment[MASTER_PORT]}",
        rdzv_configs={"rank": rank, "timeout": patience},
        max_restarts=0,
        logs_specs=DefaultLogsSpecs(log_dir=os.devnull),
        local_addr=environment[MASTER_IP] if rank == 0 else None,
        # The system ends the worker together with its agent, even while the agent waits for others.
        # On other systems the agent has to end it.
        signals_to_handle="SIGHUP" if BINDING else "SIGTERM,SIGINT,SIGHUP,SIGQUIT",
        shutdown_timeout=STOP_SECONDS,
    )
