"""A job trains what the libraries alone train with the same data, settings and seed."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from trainer.tests.studio import Studio
from trainer.tests.support import Run

PLAIN = Path(__file__).with_name("plain_trl.py")
SETTINGS = {
    "max_steps": 8,
    "per_device_train_batch_size": 4,
    "learning_rate": 2e-3,
    "lr_scheduler_type": "cosine",
    "warmup_steps": 2,
    "logging_steps": 1,
    "max_length": 256,
    "seed": 7,
}
ON_A_CPU = {"use_cpu": True, "bf16": False, "gradient_checkpointing": False, "report_to": "none"}
"""What a job chooses by itself where there is no GPU."""


def _train_plainly(project: Path, output: Path) -> None:
    settings = json.dumps({**SETTINGS, **ON_A_CPU, "save_strategy": "no"})
    words = [str(PLAIN), str(project / "starter/model"), "rows.jsonl", str(output), settings]
    done = subprocess.run(
        [sys.executable, *words], cwd=project, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr


def test_losses_and_adapter_are_those_of_a_plain_script(
    run_job: Callable[..., Run],
    fine_tune_flags: Callable[..., str],
    studio: Studio,
    project: Path,
    tmp_path: Path,
) -> None:
    lines = (project / "starter/intents/train.jsonl").read_text().splitlines(keepends=True)
    (project / "rows.jsonl").write_text("".join(lines[:200]))
    studio.dataset.type, studio.dataset.location = "project_jsonl", "rows.jsonl"
    chosen = {**SETTINGS, "optim": "adamw_torch_fused", "fp16": False, "warmup_ratio": 0}

    run = run_job("accel_fine_tune.py", fine_tune_flags(training=chosen), "outputs/job-1")

    assert run.status == 0, run.output
    output = tmp_path / "plain"
    _train_plainly(project, output)
    history = json.loads((output / "state.json").read_text())["log_history"]
    plain = [entry["loss"] for entry in history if "loss" in entry]
    ours = [event["loss"] for event in run.of("progress") if "loss" in event]
    assert len(plain) == 8
    assert ours == pytest.approx(plain, abs=1e-6, rel=0)
    alone = load_file(output / "adapter_model.safetensors")
    made = load_file(project / "adapters/job-1/adapter_model.safetensors")
    assert alone.keys() == made.keys()
    assert max(float((made[name] - alone[name]).abs().max()) for name in alone) <= 1e-7
