"""How long it takes from a cancel to the end of the job's process, for a trainer in mid-step.

python benchmarks/cancel.py [--times 5]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from ft.api import CancelFineTuningJobRequest, JobState
from tests.e2e.conftest import Studio, serving
from tests.e2e.test_first_light import Registered, process_of
from tests.support import until

TRAINING_SECONDS = 400.0
POLL_SECONDS = 0.005


def gone_after(studio: Studio, registered: Registered, name: str) -> tuple[float, float]:
    """Seconds from the request until the process is gone, and until the record says so."""
    job = registered.train(name, num_epochs=50)
    process = until("it trains", lambda: process_of(studio, job.id), TRAINING_SECONDS)
    until("it is in its steps", lambda: registered.job(job.id).status.step, TRAINING_SECONDS)
    begun = time.monotonic()
    registered.client.CancelFineTuningJob(CancelFineTuningJobRequest(id=job.id))
    until("it is gone", lambda: not process.is_running(), pause=POLL_SECONDS)
    gone = time.monotonic() - begun
    ended = registered.client.wait_for_job(job.id, timeout=60, raise_on_failure=False)
    assert ended.status.state == JobState.STOPPED
    return gone, time.monotonic() - begun


def main() -> None:
    """Prints the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--times", type=int, default=5)
    times = arguments.parse_args().times
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "home") as studio:
        registered = Registered(studio.client())
        figures = [gone_after(studio, registered, f"cancelled-{i}") for i in range(times)]
    for what, seconds in zip(("process gone", "STOPPED"), zip(*figures, strict=True), strict=True):
        print(
            f"cancel to {what}: median {statistics.median(seconds):.2f} s, "
            f"longest {max(seconds):.2f} s of {times}"
        )


if __name__ == "__main__":
    main()
