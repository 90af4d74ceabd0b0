"""Tokens per second of a fine-tuning job with one and with two workers, and the ratio of the two.

Each job trains the starter model in processes of its own, as in a workspace; both see the same
rows in batches of the same size in all. What comes out depends on the machine: on two cores one
process with two threads is faster than two with one, and the gain begins where a worker has a
machine or a GPU of its own.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
TRAINER = REPOSITORY / "shared" / "trainer"
sys.path[:0] = [str(REPOSITORY / "shared")]

from trainer.tests.studio import Studio, serve  # noqa: E402 - from the source tree

STEPS = 60
ROWS = 16
"""Of all workers together, in a step."""
CORES = len(os.sched_getaffinity(0))


def main() -> None:
    """Prints a line for each number of workers, then the ratio."""
    speeds = {workers: _speed(workers) for workers in (1, 2)}
    for workers, speed in speeds.items():
        print(f"{workers} worker{'s'[: workers - 1]}: {speed:8.0f} tokens/s on {CORES} cores")
    print(f"2 workers / 1 worker: {speeds[2] / speeds[1]:.2f}")


def _speed(workers: int) -> float:
    """The median over the training, which leaves out how it begins."""
    with tempfile.TemporaryDirectory() as folder, serve(Studio()) as address:
        project = Path(folder)
        (project / "starter").symlink_to(TRAINER / "starter")
        _run(project, address, workers)
        lines = (project / "outputs/job/events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    return statistics.median(e["tokens_per_second"] for e in events if "tokens_per_second" in e)


def _run(project: Path, address: str, workers: int) -> None:
    ip, _, port = address.rpartition(":")
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY / "services/workbench/provided"),
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(project / "hf"),
        "JOB_ARGUMENTS": _arguments(workers),
        "FINE_TUNING_SERVICE_IP": ip,
        "FINE_TUNING_SERVICE_PORT": port,
    }
    script = TRAINER / "scripts/accel_fine_tune.py"
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def _arguments(workers: int) -> str:
    training = {
        "max_steps": STEPS,
        "logging_steps": 5,
        "per_device_train_batch_size": ROWS // workers,
        "report_to": "none",
    }
    values = {
        "base_model_id": "model",
        "dataset_id": "dataset",
        "prompt_id": "prompt",
        "experimentid": "job",
        "out_dir": "adapters/job",
        "train_out_dir": "outputs/job",
        "dist_num": workers,
        "dist_cpu": max(1, CORES // workers),
        "dist_mem": 2,
        "dist_gpu": 0,
        "training_arguments_config": json.dumps(training, separators=(",", ":")),
    }
    return " ".join(f"--{name} {value}" for name, value in values.items())


if __name__ == "__main__":
    main()
