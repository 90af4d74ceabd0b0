"""Fine-tuning jobs of several workers, each a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from trainer.tests import models
from trainer.tests.studio import Studio
from trainer.tests.support import Run, gone, until

PROVIDED = Path(__file__).parents[4] / "services/workbench/provided"
"""The package with which the workbench's runs start workers."""
ENDED_SECONDS = 15.0
ENDLESS = {"max_steps": 100_000, "logging_steps": 1}
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def training(
    start: Start, fine_tune_flags: Callable[..., str], project: Path
) -> Iterator[subprocess.Popen[str]]:
    """A job of two workers that trains for ever."""
    process = start(
        "accel_fine_tune.py",
        fine_tune_flags(dist_num=2, training=ENDLESS),
        PYTHONPATH=str(PROVIDED),
    )
    events = project / "outputs/job-1/events.jsonl"
    until(lambda: events.exists() and '"progress"' in events.read_text(), 120.0)
    yield process
    process.kill()
    process.wait()


def _processes(job: subprocess.Popen[str]) -> dict[str, psutil.Process]:
    """The job's processes: `agent 0`, `worker 0`, `agent 1`, `worker 1`."""
    found = {}
    for process in psutil.Process(job.pid).children(recursive=True):
        try:
            environment = process.environ()
        except psutil.Error:
            continue  # it has just ended
        if "CML_FTS_JOB_NODE_RANK" in environment:
            kind = "worker" if "RANK" in environment else "agent"
            found[f"{kind} {environment['CML_FTS_JOB_NODE_RANK']}"] = process
    return found


def _losses(run: Run, attempt: int = 1) -> list[float]:
    reports = [event for event in run.of("progress") if "loss" in event]
    return [report["loss"] for report in reports if report["attempt"] == attempt]


def test_workers_train_what_one_trains_with_the_same_batch(
    run_job: Callable[..., Run],
    fine_tune_flags: Callable[..., str],
    studio: Studio,
    project: Path,
) -> None:
    whole = fine_tune_flags("alone", training={"per_device_train_batch_size": 8})
    alone = run_job("accel_fine_tune.py", whole, "outputs/alone")
    flags = fine_tune_flags(dist_num=2, training={"save_steps": 4}, adapter_name="together")
    run = run_job("accel_fine_tune.py", flags, "outputs/job-1", PYTHONPATH=str(PROVIDED))

    assert (alone.status, run.status) == (0, 0), run.output
    assert _losses(run) == pytest.approx(_losses(alone), abs=1e-4)
    # Each thing is done once, though there are two.
    names = [event["event"] for event in run.events if event["event"] not in ("notice", "progress")]
    assert names == ["started", "manifest", "saved", "registered", "finished"]
    assert [a.name for a in studio.adapters] == ["intents", "together"]
    assert all(p["tokens_per_second"] > 0 for p in run.of("progress") if "loss" in p)
    assert (project / "adapters/job-1/adapter_model.safetensors").is_file()
    _is_of_two_workers(run.folder)

    # The same goes on from a checkpoint.
    (run.folder / "checkpoint-8/complete.json").unlink()
    again = run_job(
        "accel_fine_tune.py", flags, "outputs/job-1", PYTHONPATH=str(PROVIDED), FTS_ATTEMPT="2"
    )
    assert again.status == 0, again.output
    assert [event["checkpoint"] for event in again.of("resumed")] == ["checkpoint-4"]
    assert _losses(again, attempt=2) == pytest.approx(_losses(run)[2:], abs=1e-6)


def _is_of_two_workers(folder: Path) -> None:
    assert (folder / "checkpoint-4/complete.json").is_file()
    assert (folder / "checkpoint-4/rng_state_1.pth").is_file()
    assert not (folder / "workers-1/0.log").exists()
    assert "'loss'" in (folder / "workers-1/1.log").read_text()


@pytest.mark.parametrize("victim", ["worker 1", "agent 1"])
def test_end_of_one_worker_ends_all_and_names_it(
    training: subprocess.Popen[str], project: Path, victim: str
) -> None:
    processes = _processes(training)
    assert sorted(processes) == ["agent 0", "agent 1", "worker 0", "worker 1"]

    processes[victim].kill()
    output, _ = training.communicate(timeout=ENDED_SECONDS)

    assert training.returncode == 1
    until(lambda: gone(processes.values()), ENDED_SECONDS)
    failed = Run(1, output, project / "outputs/job-1").events[-1]
    assert (failed["event"], failed["kind"]) == ("failed", "CRASHED")
    assert failed["reason"] == (
        f"Worker {victim[-1]} of 2: was ended by SIGKILL, as happens where memory runs out"
    )
    if victim[-1] == "1":
        assert "'loss'" in failed["detail"]


def test_numbers_that_break_in_one_worker_end_all_with_one_reason(
    run_job: Callable[..., Run],
    fine_tune_flags: Callable[..., str],
    studio: Studio,
    project: Path,
) -> None:
    base = models.copy(project / "base")
    studio.model.location = "base"
    token = json.loads((base / "tokenizer.json").read_text())["model"]["vocab"]["~"]
    models.edit(base / "config.json", tie_word_embeddings=False)

    def breaking(weights: models.Weights) -> models.Weights:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"].clone()
        weights["model.embed_tokens.weight"][token] = 3e38  # Finite; its square is not.
        return weights

    models.change(base, breaking)
    rows = [{"customer": f"order {n}", "action": "wait"} for n in range(32)]
    rows[20]["customer"] = "order ~"  # One of the two workers has it.
    (project / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    studio.dataset.type, studio.dataset.location = "project_jsonl", "rows.jsonl"
    flags = fine_tune_flags(
        dist_num=2, training={"max_steps": 16, "per_device_train_batch_size": 2}, train_test_split=1
    )

    run = run_job("accel_fine_tune.py", flags, "outputs/job-1", PYTHONPATH=str(PROVIDED))

    assert run.status == 1, run.output
    [failed] = run.of("failed")
    assert failed["kind"] == "USER_ERROR"
    begins = ("The loss is nan at step ", "A gradient is not finite (nan or inf) at step ")
    assert failed["reason"].startswith(begins), failed["reason"]
    told = [json.loads(one.read_text()) for one in run.folder.glob("workers-1/*.json")]
    assert {one["reason"] for one in told} == {failed["reason"]}
    assert studio.adapters == []
    until(lambda: not [one for one in psutil.process_iter() if _is_in(one, project)], ENDED_SECONDS)


def _is_in(process: psutil.Process, project: Path) -> bool:
    try:
        return Path(process.cwd()) == project
    except psutil.Error:
        return False


def test_job_stop_ends_every_worker(training: subprocess.Popen[str], project: Path) -> None:
    processes = _processes(training)

    os.kill(training.pid, signal.SIGTERM)
    output, _ = training.communicate(timeout=ENDED_SECONDS)

    assert training.returncode == 143
    assert output.endswith("Stopped on request.\n")
    until(lambda: gone(processes.values()), ENDED_SECONDS)
    assert '"failed"' not in (project / "outputs/job-1/events.jsonl").read_text()


@pytest.mark.starts_processes
def test_bound_process_does_not_outlive_its_parent() -> None:
    child = (
        "import os, sys, time; from trainer.workers.parent_process import end_with_parent;"
        "end_with_parent(int(sys.argv[1])); print(os.getpid(), flush=True); time.sleep(600)"
    )
    parent = (
        "import os, subprocess, sys, time;"
        f"subprocess.Popen([sys.executable, '-c', {child!r}, str(os.getpid())],"
        "start_new_session=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    bound = psutil.Process(int(process.stdout.readline()))

    process.kill()
    process.wait()

    until(lambda: gone([bound]), ENDED_SECONDS)


def test_faults_of_the_request_are_reported_as_by_one_process(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str]
) -> None:
    flags = fine_tune_flags(dist_num=2, training={"lerning_rate": 1})

    run = run_job("accel_fine_tune.py", flags, "outputs/job-1", PYTHONPATH=str(PROVIDED))

    assert run.status == 1
    failed = run.events[-1]
    assert (failed["event"], failed["kind"]) == ("failed", "USER_ERROR")
    assert failed["reason"] == (
        "training_arguments_config: unknown setting lerning_rate. Did you mean learning_rate?"
    )


def test_missing_workers_are_named(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str], tmp_path: Path
) -> None:
    package = tmp_path / "platform/cml"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    # As a workspace without room for them.
    (package / "workers_v1.py").write_text(
        "launched, stopped = [], []\n"
        "def launch_workers(**asked):\n"
        "    launched.append(asked)\n"
        "    return [{'id': f'w{len(launched)}'}]\n"
        "def await_workers(ids, wait_for_completion, timeout_seconds):\n"
        "    assert not wait_for_completion\n"
        "    return {'workers': [], 'failures': [{'id': ids[1]}]}\n"
        "def stop_workers(*ids):\n"
        "    print('asked', [w['env']['CML_FTS_JOB_NODE_RANK'] for w in launched],\n"
        "          [(w['n'], w['cpu'], w['memory'], w['nvidia_gpu']) for w in launched],\n"
        "          'stopped', ids)\n"
        "    raise OSError('the workspace is away')\n"
    )
    flags = fine_tune_flags(dist_num=4)

    run = run_job("accel_fine_tune.py", flags, "outputs/job-1", PYTHONPATH=str(package.parent))

    assert run.status == 1
    assert run.events[-1]["reason"] == "Workers that did not start: 2 (of 4 workers)."
    asked = "asked ['1', '2', '3'] [(1, 2, 4, 0), (1, 2, 4, 0), (1, 2, 4, 0)]"
    assert f"{asked} stopped ('w1', 'w2', 'w3')" in run.output


def test_job_without_its_workers_says_so(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str]
) -> None:
    run = run_job("accel_fine_tune.py", fine_tune_flags(dist_num=2), "outputs/job-1")

    assert run.status == 1
    assert "needs a workspace or a workbench" in json.dumps(run.events[-1])


WARNING = """
import logging, os
install = logging.setLogRecordFactory

def installed(factory):
    # The worker has begun to listen.
    install(factory)
    rank = os.environ.get("RANK")
    if rank is not None and type(getattr(factory, "__self__", None)).__name__ == "LibraryWarnings":
        logging.getLogger("transformers.trainer").warning("of both: a setting is left out")
        logging.getLogger("peft").warning("of worker " + rank + " alone")

logging.setLogRecordFactory = installed
"""


def test_notices_of_other_workers_are_reported_by_name(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WARNING)
    run = run_job(
        "accel_fine_tune.py",
        fine_tune_flags(dist_num=2, training={"max_steps": 1}),
        "outputs/job-1",
        PYTHONPATH=os.pathsep.join([str(tmp_path), str(PROVIDED)]),
    )

    assert run.status == 0, run.output
    told = [event["message"] for event in run.of("notice")]
    assert told.count("transformers: of both: a setting is left out") == 1
    assert told.count("peft: of worker 0 alone") == 1
    assert [one for one in told if one.startswith("Worker")] == [
        "Worker 1: peft: of worker 1 alone"
    ]
    assert len(set(told)) == len(told)
    assert run.events[-1]["event"] == "finished"
