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
    """Reads the work, inspects the job, writes the answer."""
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_BYTES, MAX_BYTES))
    answer = sys.stdout.buffer
    # Output of libraries must not get between the bytes.
    sys.stdout = sys.stderr
    work = InspectionWork.FromString(sys.stdin.buffer.read())
    # Ends this process if the service that started it is gone.
    signal.alarm(math.ceil(work.seconds) + 1)

    import datasets

    from services.inspection.job_inspection import inspect_job

    # The library would keep its cache next to the data of the project.
    datasets.disable_caching()
    datasets.disable_progress_bars()
    token = os.environ.get(HUB_TOKEN, "").strip() or None
    answer.write(inspect_job(work, token).SerializeToString())


if __name__ == "__main__":
    main()
