"""Publishes the studio's address to all workloads of the workspace project."""

import asyncio
import json
import os
import socket

import structlog

from chassis.rpc.errors import Refusal
from ft.job_protocol.variables import PROJECT_ID, RUN_ADDRESS, STUDIO_IP, STUDIO_PORT
from jobs.workspace.client import Workspace

log = structlog.get_logger()

_RETRY_SECONDS = (0.2, 0.5, 1.0)


async def publish_address(listening: str) -> None:
    """Writes the address into the project's environment, from which jobs get it.

    Does nothing outside of a workspace project. Tries again until the workspace answers; calls are
    served meanwhile.
    """
    if not os.environ.get(PROJECT_ID):
        return
    workspace = Workspace()
    port = listening.rpartition(":")[2]
    for attempt in range(10**9):
        try:
            wanted = {STUDIO_IP: await _own_address(), STUDIO_PORT: port}
            await _merge(workspace, wanted)
        except (Refusal, OSError, ValueError) as error:
            pause = _RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)]
            log.warning("address not published", reason=str(error), retry_in=pause)
            await asyncio.sleep(pause)
        else:
            log.info("address published", **wanted)
            return


async def _own_address() -> str:
    if platform := os.environ.get(RUN_ADDRESS):
        return platform
    return await asyncio.to_thread(socket.gethostbyname, socket.gethostname())


async def _merge(workspace: Workspace, wanted: dict[str, str]) -> None:
    project = await workspace.project()
    environment = json.loads(project.environment or "{}")
    if not isinstance(environment, dict):
        raise ValueError("the project's environment is not a JSON object")
    if {**environment, **wanted} == environment:
        return
    await workspace.update_project(environment=json.dumps({**environment, **wanted}))
