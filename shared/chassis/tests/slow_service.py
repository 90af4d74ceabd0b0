"""A datasets service whose GetDataset answers when a file appears. Run by test_server.py."""

import asyncio
import sys
import time
from pathlib import Path

from chassis.config import Settings
from chassis.domains import DOMAIN_SERVICES
from chassis.rpc.dispatch import handlers
from chassis.rpc.server import ServiceParts, run
from ft.proto.fine_tuning_studio_pb2 import DatasetMetadata, GetDatasetRequest, GetDatasetResponse


class Slow:
    """Waits for a file named like the id that is asked for, and makes one that says so.

    For `*.blocked` the wait blocks a thread, as a library does that knows nothing of asyncio.
    """

    async def GetDataset(self, request: GetDatasetRequest) -> GetDatasetResponse:
        file = Path(request.id)
        file.with_suffix(".begun").touch()
        if file.suffix == ".blocked":
            await asyncio.to_thread(block_until, file)
        while not file.exists():  # noqa: ASYNC110, ASYNC240 - the event is in another process
            await asyncio.sleep(0.01)
        return GetDatasetResponse(dataset=DatasetMetadata(id=request.id))


def block_until(file: Path) -> None:
    """Returns once the file exists."""
    while not file.exists():
        time.sleep(0.01)


def main() -> None:
    """Serves in the folder that is given."""
    settings = Settings.load(sys.argv[1])
    run(
        settings,
        ServiceParts(
            service_names=[DOMAIN_SERVICES["datasets"].full_name],
            handlers=lambda d: [
                handlers(DOMAIN_SERVICES["datasets"], Slow(), d, only={"GetDataset"})
            ],
        ),
    )


if __name__ == "__main__":
    main()
