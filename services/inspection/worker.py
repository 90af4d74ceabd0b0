"""Does one inspection: `python -m services.inspection.worker` with an InspectionWork on standard
input and the InspectJobResponse on standard output, both as bytes."""

import math
import os
import resource
import signal
import sys

from ft.job_protocol.variables import HUB_TOKEN
from ft.proto.inspection_pb2 import InspectionWork

MAX_BYTES = 8 * 1024**3
"""Memory that the process may take, so that hostile data ends it and not the machine."""


def main() -> None:
    """Reads, looks, answers."""
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_BYTES, MAX_BYTES))
    answer = sys.stdout.buffer
    # Nothing that a library says may get between the bytes.
    sys.stdout = sys.stderr
    work = InspectionWork.FromString(sys.stdin.buffer.read())
    # Should nobody be left to end it.
    signal.alarm(math.ceil(work.seconds) + 1)

    import datasets

    from services.inspection.look import Look

    # Beside the data of a project there is no room for what the library would keep.
    datasets.disable_caching()
    datasets.disable_progress_bars()
    token = os.environ.get(HUB_TOKEN, "").strip() or None
    answer.write(Look(work, token).response().SerializeToString())


if __name__ == "__main__":
    main()
