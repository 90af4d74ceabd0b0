"""A project directory with the starter model and data, and jobs run in it as a workspace does."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import git  # noqa: F401  # It asks for git's version when it is imported first, so not in a test.
import pytest

from tests.processes import slow, starts_processes
from trainer.job.run import quiet_libraries
from trainer.tests.studio import Direct, Studio, serve
from trainer.tests.support import Run

TRAINER = Path(__file__).parents[1]
os.environ["HF_HUB_OFFLINE"] = "1"
quiet_libraries()

RUN_SECONDS = 300


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project directory with the starter files in it."""
    root = tmp_path / "project"
    (root / "starter").mkdir(parents=True)
    for name in ("model", "intents"):
        (root / "starter" / name).symlink_to(TRAINER / "starter" / name)
    return root


@pytest.fixture
def studio() -> Iterator[Studio]:
    studio = Studio()
    with serve(studio) as studio.address:
        yield studio


@pytest.fixture
def away() -> Iterator[str]:
    """An address where nobody listens before the test does: the port stays the test's own."""
    with socket.socket() as held:
        # As gRPC binds its sockets, so that a server can listen beside this one.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture(autouse=True)
def own_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Gives each test no store of MLflow but its project's, whichever ran before it."""
    # Set by whoever connects, for the whole process.
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    yield
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        os.environ.pop(name, None)


@pytest.fixture
@starts_processes
def start(project: Path, studio: Studio, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a script of the trainer as a workspace does: arguments in JOB_ARGUMENTS."""

    def run(script: str, arguments: str, **extra: str) -> subprocess.Popen[str]:
        host, port = studio.address.split(":")
        environment = {
            **os.environ,
            "PYTHONPATH": str(TRAINER.parent),
            "HF_HOME": str(tmp_path / "hf"),
            "JOB_ARGUMENTS": arguments,
            "FINE_TUNING_SERVICE_IP": host,
            "FINE_TUNING_SERVICE_PORT": port,
            "CUDA_VISIBLE_DEVICES": "",
            **extra,
        }
        return subprocess.Popen(
            [sys.executable, str(TRAINER / "scripts" / script)],
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return run


@pytest.fixture
def run_job(start: Callable[..., subprocess.Popen[str]], project: Path) -> Callable[..., Run]:
    """Runs a script to its end. `folder` is where its arguments say it reports."""

    def run(script: str, arguments: str, folder: str, **extra: str) -> Run:
        process = start(script, arguments, **extra)
        output, _ = process.communicate(timeout=RUN_SECONDS)
        return Run(process.returncode, output, project / folder)

    return run


def trained(studio: Studio, project: Path, job: str, arguments: str) -> Run:
    """A job that has trained within the test's process, which has the libraries already."""
    from trainer.job.arguments import fine_tune_arguments
    from trainer.job.events import EventLog
    from trainer.training.job import FineTuning

    folder = project / "outputs" / job
    given = fine_tune_arguments({"JOB_ARGUMENTS": arguments})
    FineTuning(given, Direct(studio), EventLog(folder), project).run()
    return Run(0, "", folder)


@pytest.fixture
@slow
def train(
    project: Path,
    studio: Studio,
    fine_tune_flags: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Run]:
    """Trains within the test's process: job-1, job-2 and so on. The data are 200 rows of a file,
    unless another one is named. A `job` that is named may have run before."""
    monkeypatch.chdir(project)
    rows = (TRAINER / "starter/intents/train.jsonl").read_text().splitlines(keepends=True)
    (project / "rows.jsonl").write_text("".join(rows[:200]))

    def run(
        training: dict[str, Any] | None = None,
        lora: dict[str, Any] | None = None,
        dataset: str = "rows.jsonl",
        job: str = "",
        **flags: Any,
    ) -> Run:
        job = job or f"job-{len(list(project.glob('outputs/*'))) + 1}"
        studio.dataset.type, studio.dataset.location = "project_jsonl", dataset
        studio.adapters.clear()
        chosen = {"optim": "adamw_torch", "fp16": False, **(training or {})}
        lora_config = json.dumps(lora or {}, separators=(",", ":"))
        arguments = fine_tune_flags(job, training=chosen, lora_config=lora_config, **flags)
        return trained(studio, project, job, arguments)

    return run


@pytest.fixture
@slow
def evaluate(
    project: Path, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Run]:
    """Evaluates within the test's process, which has the libraries already."""
    monkeypatch.chdir(project)

    def run(arguments: str) -> Run:
        from trainer.evaluation.job import Evaluation
        from trainer.job.arguments import evaluate_arguments
        from trainer.job.events import EventLog

        given = evaluate_arguments({"JOB_ARGUMENTS": arguments})
        folder = project / given.result_dir
        Evaluation(given, Direct(studio), EventLog(folder), project).run()
        return Run(0, "", folder)

    return run


SHORT_TRAINING = {
    "max_steps": 8,
    "per_device_train_batch_size": 4,
    "learning_rate": 2e-3,
    "logging_steps": 2,
    "optim": "paged_adamw_32bit",
    "warmup_ratio": 0.03,
    "fp16": True,
    "report_to": "none",
}


@pytest.fixture(scope="session")
def fine_tune_flags() -> Callable[..., str]:
    """Arguments of a short fine-tuning job, as the studio writes them."""

    def flags(job: str = "job-1", **overrides: Any) -> str:
        training = SHORT_TRAINING | overrides.pop("training", {})
        values = {
            "base_model_id": "model",
            "dataset_id": "dataset",
            "prompt_id": "prompt",
            "experimentid": job,
            "out_dir": f"adapters/{job}",
            "train_out_dir": f"outputs/{job}",
            "adapter_name": "intents",
            "finetuning_framework_type": "legacy",
            "dist_num": 1,
            "dist_cpu": 2,
            "dist_mem": 4,
            "dist_gpu": 0,
            "training_arguments_config": json.dumps(training, separators=(",", ":")),
        } | overrides
        words = [f"--{k} {v}" for k, v in values.items() if v is not None]
        return " ".join([*words, "--auto_add_adapter"])

    return flags
