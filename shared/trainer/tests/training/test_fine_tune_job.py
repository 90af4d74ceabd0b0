"""Fine-tuning jobs, run as a workspace runs them."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from ft.api import ConfigMetadata
from trainer.tests.studio import Studio
from trainer.tests.support import Run, until

QUANTISED = json.dumps({"load_in_4bit": True, "quant_method": "bitsandbytes"}).replace(" ", "")


def test_job_trains_saves_and_registers_an_adapter(
    run_job: Callable[..., Run],
    fine_tune_flags: Callable[..., str],
    studio: Studio,
    project: Path,
) -> None:
    arguments = fine_tune_flags(bnb_config=QUANTISED) + " --invented 1"

    run = run_job("accel_fine_tune.py", arguments, "outputs/job-1")

    assert run.status == 0, run.output
    names = [event["event"] for event in run.events]
    assert names[-3:] == ["saved", "registered", "finished"]
    started = run.of("started")[0]
    assert (started["total_steps"], started["train_rows"], started["seed"]) == (8, 1800, 42)
    progress = run.of("progress")
    assert [p["step"] for p in progress if "loss" in p] == [2, 4, 6, 8]
    assert progress[-1]["seconds_left"] == 0
    assert all(p["tokens_per_second"] > 0 for p in progress if "loss" in p)
    notices = " ".join(event["message"] for event in run.of("notice"))
    for replaced in ("--invented", "paged_adamw_32bit", "fp16", "4-bit"):
        assert replaced in notices
        assert replaced in run.log
    _is_whole(project / "adapters/job-1")
    adapter = studio.adapters[0]
    assert (adapter.name, adapter.location) == ("intents", "adapters/job-1")
    assert (adapter.fine_tuning_job_id, adapter.prompt_id) == ("job-1", "prompt")
    # What a workspace shows and what the job keeps is the same.
    assert run.log == run.output


def _is_whole(saved: Path) -> None:
    assert (saved / "adapter_model.safetensors").is_file()
    assert (saved / "tokenizer.json").is_file()
    config = json.loads((saved / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "starter/model"
    assert len(config["target_modules"]) == 7  # all linear layers of a Llama block
    assert list(saved.parent.iterdir()) == [saved]
    parity = json.loads((saved / "parity.json").read_text())
    assert parity["calculated"] == "torch.float32 on cpu"
    assert len(parity["samples"]) == 4
    assert all(s["input"].endswith("ACTION:") and s["tokens"] for s in parity["samples"])


def test_log_begins_with_the_settings_in_effect(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str], studio: Studio
) -> None:
    shipped = json.dumps({"learning_rate": 0.002, "max_steps": 2, "weight_decay": 0.1})
    kind = "training_arguments"
    studio.shipped = [ConfigMetadata(type=kind, config=shipped, is_default=1)]
    training = {"max_steps": 1, "warmup_steps": 5, "lr_scheduler_type": "linear"}

    run = run_job("accel_fine_tune.py", fine_tune_flags(training=training), "outputs/job-1")

    assert run.status == 0, run.output
    beginning, _, rest = run.log.partition("lora_config, in effect:")
    assert "training_arguments_config, in effect:" in beginning.splitlines()[0]
    lines = [line.strip() for line in beginning.splitlines()]
    assert "learning_rate: 0.002" in lines
    assert "max_steps: 1   (shipped: 2)" in lines
    assert any(line.startswith("weight_decay: -") for line in lines)
    assert rest
    notices = " ".join(event["message"] for event in run.of("notice"))
    assert "warmup_steps 5 does not end within the 1 steps" in notices


def test_adapter_that_the_job_registered_before_is_adopted(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str], studio: Studio
) -> None:
    arguments = fine_tune_flags(training={"max_steps": 1})
    first = run_job("accel_fine_tune.py", arguments, "outputs/job-1")
    second = run_job("accel_fine_tune.py", arguments, "outputs/job-1")

    assert (first.status, second.status) == (0, 0), second.output
    assert len(studio.adapters) == 1
    assert [e["adapter_id"] for e in second.of("registered")] == ["adapter-0", "adapter-0"]


def test_unknown_setting_fails_the_job_with_a_hint(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str]
) -> None:
    arguments = fine_tune_flags(training={"lerning_rate": 1})

    run = run_job("accel_fine_tune.py", arguments, "outputs/job-1")

    assert run.status == 1
    failed = run.events[-1]
    assert (failed["event"], failed["kind"]) == ("failed", "USER_ERROR")
    assert failed["reason"] == (
        "training_arguments_config: unknown setting lerning_rate. Did you mean learning_rate?"
    )
    # The reason says it all; only what is unforeseen has a traceback.
    assert f"The job failed: {failed['reason']}" in run.log
    assert "Traceback" not in run.log
    assert "Traceback" not in json.dumps(run.events)


def test_refusal_of_the_studio_is_the_reason(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str]
) -> None:
    run = run_job("fine_tune.py", fine_tune_flags(base_model_id="other"), "outputs/job-1")

    assert run.status == 1
    assert run.events[-1]["reason"] == "The studio answered: model other is not known"


def test_unwritable_log_fails_no_training_and_is_reported(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str], project: Path
) -> None:
    folder = project / "outputs/job-1"
    folder.mkdir(parents=True)
    (folder / "job.log").symlink_to("/dev/full")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii:strict"}
    run = run_job("accel_fine_tune.py", fine_tune_flags(), "outputs/job-1", **ascii_only)

    assert run.status == 0
    assert "Traceback" not in run.output
    *_, notice, last = run.events
    assert last["event"] == "finished"
    assert notice["event"] == "notice"
    assert "of the job's output are missing in its log, job.log: No space left" in notice["message"]


def test_arguments_without_a_folder_end_with_status_2(
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    process = start("accel_fine_tune.py", "--base_model_id model")
    output, _ = process.communicate(timeout=300)

    assert process.returncode == 2
    assert "--dataset_id: required" in output


def test_killed_job_goes_on_from_its_checkpoint_as_if_undisturbed(
    start: Callable[..., subprocess.Popen[str]],
    run_job: Callable[..., Run],
    fine_tune_flags: Callable[..., str],
    project: Path,
) -> None:
    training = {"max_steps": 24, "logging_steps": 1, "save_steps": 8, "lr_scheduler_type": "linear"}
    undisturbed = run_job(
        "accel_fine_tune.py", fine_tune_flags("whole", training=training), "outputs/whole"
    )
    assert undisturbed.status == 0, undisturbed.output
    arguments = fine_tune_flags("cut", training=training, adapter_name="cut")
    process = start("accel_fine_tune.py", arguments)
    events = project / "outputs/cut/events.jsonl"
    until(lambda: events.exists() and '"step": 11' in events.read_text(), 120)
    process.kill()
    process.wait()
    # As if it had been killed while it saved a later one.
    (project / "outputs/cut/checkpoint-9000").mkdir()

    resumed = run_job("accel_fine_tune.py", arguments, "outputs/cut", FTS_ATTEMPT="2")

    assert resumed.status == 0, resumed.output
    [went_on] = resumed.of("resumed")
    assert went_on["checkpoint"] in ("checkpoint-8", "checkpoint-16")
    assert any("checkpoint-9000 is not used" in n["message"] for n in resumed.of("notice"))
    assert losses(resumed, attempt=2).items() <= losses(undisturbed, attempt=1).items()
    assert max(losses(resumed, attempt=2)) == 24
    assert _weights(project / "adapters/cut") == _weights(project / "adapters/whole")


def _weights(adapter: Path) -> bytes:
    return (adapter / "adapter_model.safetensors").read_bytes()


def losses(run: Run, attempt: int) -> dict[int, float]:
    """Loss by step."""
    reports = [e for e in run.of("progress") if e["attempt"] == attempt and "loss" in e]
    return {report["step"]: report["loss"] for report in reports}


def test_checkpoint_of_other_settings_is_not_used(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str]
) -> None:
    first = fine_tune_flags(training={"max_steps": 2, "save_steps": 1})
    assert run_job("accel_fine_tune.py", first, "outputs/job-1").status == 0
    other = fine_tune_flags(training={"max_steps": 2, "save_steps": 1, "learning_rate": 1e-3})

    run = run_job("accel_fine_tune.py", other, "outputs/job-1", FTS_ATTEMPT="2")

    assert run.status == 0, run.output
    assert not run.of("resumed")
    notices = " ".join(event["message"] for event in run.of("notice"))
    assert "was saved with other settings or other data" in notices
    assert "training starts from the beginning" in notices


def test_sigterm_stops_a_job_that_trains(
    start: Callable[..., subprocess.Popen[str]],
    fine_tune_flags: Callable[..., str],
    project: Path,
) -> None:
    arguments = fine_tune_flags(training={"max_steps": 100_000, "logging_steps": 1})
    process = start("accel_fine_tune.py", arguments)
    events = project / "outputs/job-1/events.jsonl"
    until(lambda: events.exists() and '"progress"' in events.read_text(), 120)

    os.kill(process.pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=300)

    assert process.returncode == 143
    assert output.endswith("Stopped on request.\n")
    assert '"failed"' not in events.read_text()
    assert not (project / "adapters/job-1").exists()
