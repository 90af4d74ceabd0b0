"""Cost of the studio for a training: a job with its reports, events, progress and checkpoints
against a plain script of the libraries with the same settings.

python benchmarks/overhead.py [PAIRS]    # needs both environments, see `make env`

Both are run in turn, each in a process of its own, and a pair of runs gives one ratio. Nothing
else should run on the machine: the spread says how quiet it was. Where it is wider than what is
looked for, the share of the job's own time that goes into the studio's code says more.
"""

import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TRAINER = ROOT / "shared/trainer"
PYTHON = ROOT / ".venv-trainer/bin/python"
MARK = "measured: "
SETTINGS = {
    "max_steps": 150,
    "per_device_train_batch_size": 8,
    "logging_steps": 1,
    "save_steps": 50,
    "save_total_limit": 2,
    "max_length": 256,
    "learning_rate": 2e-4,
    "warmup_steps": 0,
    "lr_scheduler_type": "linear",
    "optim": "adamw_torch",
    "use_cpu": True,
    "bf16": False,
    "gradient_checkpointing": False,
    "report_to": "none",
}
MEASURES = {
    "seconds": "training, by the clock",
    "cpu_seconds": "training, time of the CPU",
    "whole_seconds": "the whole process, start-up and saving included",
}


def main() -> None:
    """Runs the pairs and prints the ratios."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    sys.path.insert(0, str(ROOT / "shared"))
    with tempfile.TemporaryDirectory() as folder:
        found = _measure(Path(folder), pairs)
    print(f"{pairs} pairs of runs, {SETTINGS['max_steps']} steps each, starter model")
    for name, what in MEASURES.items():
        ratios = [job[name] / plain[name] for job, plain in found]
        print(
            f"{what}: {median(ratios):.3f} times a plain script's, "
            f"from {min(ratios):.3f} to {max(ratios):.3f}; "
            f"{median(plain[name] for _, plain in found):.1f} s plain, "
            f"{median(job[name] for job, _ in found):.1f} s as a job"
        )
    shares = [job["own_seconds"] / job["seconds"] for job, _ in found]
    print(
        f"the studio's own code while a job trains: {median(shares):.2%} of the time, "
        f"from {min(shares):.2%} to {max(shares):.2%}"
    )


def _measure(folder: Path, pairs: int) -> list[tuple[dict[str, float], dict[str, float]]]:
    from trainer.tests.studio import Studio, serve

    (folder / "starter").mkdir()
    for name in ("model", "intents"):
        (folder / "starter" / name).symlink_to(TRAINER / "starter" / name)
    studio = Studio()
    studio.dataset.type, studio.dataset.location = "project_jsonl", "starter/intents/train.jsonl"
    found = []
    with serve(studio) as address:
        for number in range(pairs + 1):
            studio.adapters.clear()
            studio.reported = b""
            job = _timed(folder, "job", _of_a_job(address, f"job-{number}"))
            if not (studio.reported.startswith(b"{") and b"saved" in studio.reported):
                sys.exit("the job's events did not arrive")
            found.append((job, _timed(folder, "plain", {})))
    return found[1:]  # The first pair also fills the caches of files.


def _of_a_job(address: str, folder: str) -> dict[str, str]:
    arguments = {
        "base_model_id": "model",
        "dataset_id": "dataset",
        "prompt_id": "prompt",
        "experimentid": "job-1",
        "out_dir": f"adapters/{folder}",
        "train_out_dir": f"outputs/{folder}",
        "adapter_name": folder,
        "dist_cpu": 2,
        "dist_gpu": 0,
        "training_arguments_config": json.dumps(SETTINGS, separators=(",", ":")),
    }
    host, port = address.split(":")
    return {
        "JOB_ARGUMENTS": " ".join(f"--{name} {value}" for name, value in arguments.items()),
        "FINE_TUNING_SERVICE_IP": host,
        "FINE_TUNING_SERVICE_PORT": port,
        "FTS_JOB_ID": "job-1",
        "FTS_JOB_TOKEN": "the-token",
    }


def _timed(folder: Path, kind: str, environment: dict[str, str]) -> dict[str, float]:
    begin = time.perf_counter()
    done = subprocess.run(
        [PYTHON, __file__, "--one", kind],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "shared"),
            "CUDA_VISIBLE_DEVICES": "",
            "HF_HUB_OFFLINE": "1",
            "TQDM_DISABLE": "1",
            # A job sets it for itself; both get it, so that it is no part of the difference.
            "OMP_WAIT_POLICY": "PASSIVE",
            "TOKENIZERS_PARALLELISM": "false",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not lines:
        sys.exit(f"the {kind} run ended with {done.returncode}:\n{done.stdout}")
    measured: dict[str, float] = json.loads(lines[-1].removeprefix(MARK))
    return {**measured, "whole_seconds": time.perf_counter() - begin}


def _one(kind: str) -> None:
    """In the trainer's environment: one run whose training is timed."""
    from trl.trainer.sft_trainer import SFTTrainer

    train = SFTTrainer.train
    own = _count_own_seconds() if kind == "job" else []

    def timed(*arguments: Any, **options: Any) -> Any:
        begin, used = time.perf_counter(), time.process_time()
        answer = train(*arguments, **options)
        measured = {
            "seconds": time.perf_counter() - begin,
            "cpu_seconds": time.process_time() - used,
            "own_seconds": sum(own),
        }
        print(f"{MARK}{json.dumps(measured)}", flush=True)
        return answer

    SFTTrainer.train = timed
    if kind == "job":
        runpy.run_path(str(TRAINER / "scripts/accel_fine_tune.py"), run_name="__main__")
        return
    settings = json.dumps({**SETTINGS, "disable_tqdm": True})
    sys.argv = ["plain", "starter/model", "starter/intents/train.jsonl", "plain", settings]
    runpy.run_path(str(TRAINER / "tests/training/plain_trl.py"), run_name="__main__")


def _count_own_seconds() -> list[float]:
    """Wraps the studio's calls of a training; returns a list that gets the seconds of each call.

    Callbacks count by the clock, since the training waits for them; the thread that reports counts
    by its CPU time."""
    from trainer.job.report_sender import ReportSender
    from trainer.training.checkpoints import CheckpointCallback
    from trainer.training.progress import ProgressCallback

    seconds: list[float] = []

    def count(owner: type, name: str, clock: Callable[[], float]) -> None:
        method = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            begin = clock()
            try:
                return method(*arguments, **options)
            finally:
                seconds.append(clock() - begin)

        setattr(owner, name, counted)

    for callback in (ProgressCallback, CheckpointCallback):
        for name in [name for name in vars(callback) if name.startswith("on_")]:
            count(callback, name, time.perf_counter)
    count(ReportSender, "_send_next", time.thread_time)
    return seconds


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _one(sys.argv[2])
    else:
        main()
