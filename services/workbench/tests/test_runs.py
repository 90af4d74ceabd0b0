"""Runs of jobs: real processes, from SCHEDULING to their end."""

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import cmlapi
from cmlapi.rest import ApiException
from cmlapi.utils import Cursor

# Waits for a file of the test's making; ends by itself should the test die.
WAIT_FOR_GO = """
import pathlib, sys, time
name = sys.argv[0].rpartition("/")[2]
pathlib.Path(name + ".begun").write_text("yes\\n")
for _ in range(600):
    if pathlib.Path("go").exists():
        break
    time.sleep(0.05)
"""
# A child that ignores TERM, a grandchild in a session of its own whose parent is gone, and a main
# process that would go on for ever.
FAMILY = """
import os, pathlib, signal, subprocess, sys, time
stubborn = ("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            "print('ready', flush=True); time.sleep(600)")
away = ("import os, subprocess, sys;"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
        "start_new_session=True, stdout=subprocess.DEVNULL); print(p.pid, flush=True)")
first = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE, text=True)
first.stdout.readline()
second = subprocess.run([sys.executable, "-c", away], stdout=subprocess.PIPE, text=True)
pids = [os.getpid(), first.pid, int(second.stdout)]
pathlib.Path("pids").write_text(" ".join(map(str, pids)) + "\\n")
"""


@pytest.fixture
def go(shared: Any) -> Any:
    """The file that WAIT_FOR_GO waits for; it is there in the end, whatever happens."""
    path: Path = shared.project / "go"
    path.unlink(missing_ok=True)
    yield path
    path.touch()


def _alive(pids: list[int]) -> list[int]:
    found = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return [p.pid for p in found if p.status() != psutil.STATUS_ZOMBIE]


def test_successful_run_has_its_whole_lifecycle(
    shared: Any, api: cmlapi.CMLServiceApi, go: Path
) -> None:
    job = shared.job(api, WAIT_FOR_GO)
    run = shared.run(api, job)
    assert run.status == "ENGINE_SCHEDULING"
    running = shared.reach(api, run, "ENGINE_RUNNING")
    assert running.finished_at is None
    go.touch()
    done = shared.done(api, run)
    assert done.status == "ENGINE_SUCCEEDED"
    times = [done.scheduling_at, done.starting_at, done.running_at, done.finished_at]
    assert all(times)
    assert times == sorted(times)
    assert times[0].tzinfo is not None


def test_run_that_fails_keeps_its_output(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    job = shared.job(
        api, "import sys; print('to out'); print('to err', file=sys.stderr); sys.exit(3)"
    )
    run = shared.done(api, shared.run(api, job))
    assert run.status == "ENGINE_FAILED"
    said = "[workbench] the script ended with exit status 3"
    assert set(shared.output(run).splitlines()) == {"to out", "to err", said}


def test_run_that_is_killed_says_by_which_signal(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    job = shared.job(
        api,
        "import os; open('own.log', 'w').write('begun\\n'); os.kill(os.getpid(), 9)",
        environment={"FTS_JOB_LOG": "own.log"},
    )
    run = shared.done(api, shared.run(api, job))
    assert run.status == "ENGINE_FAILED"
    said = "[workbench] the script was ended by SIGKILL, as happens where memory runs out\n"
    assert shared.output(run) == said
    assert shared.written("own.log") == f"begun\n{said}"


def test_script_that_is_missing_fails_and_says_so(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    job = shared.job(api, "", script="nowhere.py")
    run = shared.done(api, shared.run(api, job))
    assert run.status == "ENGINE_FAILED"
    assert "nowhere.py" in shared.output(run)


def test_run_gets_environment_by_precedence_and_arguments(
    shared: Any, api: cmlapi.CMLServiceApi
) -> None:
    everywhere = {"IN_ALL": "project", "NOT_IN_RUN": "project", "JOB_ARGUMENTS": "project"}
    api.update_project(
        cmlapi.Project(environment=json.dumps({**everywhere, "FINE_TUNING_SERVICE_PORT": "50051"})),
        shared.project_id,
    )
    job = shared.job(
        api,
        """
        import json, os
        with open("seen", "w") as file:
            print(json.dumps({**os.environ, "CWD": os.getcwd()}), file=file)
        """,
        arguments="--a 1",
        environment={"IN_ALL": "job", "NOT_IN_RUN": "job"},
    )
    run = shared.run(api, job, arguments="--a 2 --b", environment={"IN_ALL": "run"})
    assert shared.done(api, run).status == "ENGINE_SUCCEEDED"
    seen = json.loads(shared.written("seen"))
    assert (seen["IN_ALL"], seen["NOT_IN_RUN"]) == ("run", "job")
    assert seen["JOB_ARGUMENTS"] == "--a 2 --b"
    assert seen["FINE_TUNING_SERVICE_PORT"] == "50051"
    assert seen["CWD"] == str(shared.project)
    assert seen["CDSW_ENGINE_ID"] == run.id
    assert seen["CDSW_PROJECT_ID"] == shared.project_id
    assert seen["CUDA_VISIBLE_DEVICES"] == ""
    assert not [name for name in seen if name.startswith("FTS_")]
    # What a run is told is enough to reach the workbench with the client.
    inside = cmlapi.default_client(seen["CDSW_API_URL"], seen["CDSW_APIV2_KEY"])
    assert inside.get_project(seen["CDSW_PROJECT_ID"]).id == shared.project_id


def test_run_takes_the_jobs_arguments_when_it_has_none(
    shared: Any, api: cmlapi.CMLServiceApi
) -> None:
    job = shared.job(api, "import os; print(os.environ['JOB_ARGUMENTS'])", arguments="--of job")
    run = shared.done(api, shared.run(api, job))
    assert shared.output(run) == "--of job\n"


def test_command_lines_hold_no_secret(shared: Any, api: cmlapi.CMLServiceApi, go: Path) -> None:
    job = shared.job(api, WAIT_FOR_GO, environment={"HUGGINGFACE_ACCESS_TOKEN": "hf_verysecret"})
    run = shared.reach(api, shared.run(api, job), "ENGINE_RUNNING")
    lines = [" ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])]
    assert any(job.script in line for line in lines)
    assert not [line for line in lines if shared.key in line or "hf_verysecret" in line]
    stored = [p for p in (shared.home / "runs" / run.id).rglob("*") if p.is_file()]
    assert not [p for p in stored if "hf_verysecret" in p.read_text()]
    go.touch()
    shared.done(api, run)


def test_stop_ends_the_whole_family(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    job = shared.job(api, FAMILY + "time.sleep(600)")
    run = shared.run(api, job)
    pids = [int(pid) for pid in shared.written("pids").split()]
    assert len(_alive(pids)) == 3
    assert api.stop_job_run(shared.project_id, job.id, run.id).status == "ENGINE_STOPPING"
    seen_stopping = shared.read(api, run)
    if seen_stopping.status == "ENGINE_STOPPING":
        assert seen_stopping.finished_at is None
    stopped = shared.reach(api, run, "ENGINE_STOPPED")
    assert _alive(pids) == []
    assert stopped.finished_at is not None
    # Asked for again, it stays as it is.
    assert api.stop_job_run(shared.project_id, job.id, run.id).status == "ENGINE_STOPPED"
    (shared.project / "pids").unlink()


def test_children_of_a_finished_script_are_ended(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    job = shared.job(api, FAMILY)
    run = shared.done(api, shared.run(api, job))
    assert run.status == "ENGINE_SUCCEEDED"
    assert _alive([int(pid) for pid in shared.written("pids").split()]) == []
    (shared.project / "pids").unlink()


def test_run_is_stopped_before_it_began(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    job = shared.job(api, "open('never', 'w')", cpu=1000)
    run = shared.run(api, job)
    assert api.stop_job_run(shared.project_id, job.id, run.id).status == "ENGINE_STOPPED"
    assert not (shared.project / "never").exists()


def test_run_is_stopped_while_it_begins(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    job = shared.job(api, "import time; time.sleep(600)")
    runs = [shared.run(api, job) for _ in range(4)]
    for run in runs:
        api.stop_job_run(shared.project_id, job.id, run.id)
    assert {shared.done(api, run).status for run in runs} == {"ENGINE_STOPPED"}


def test_timeout_is_enforced(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    job = shared.job(api, "import time; time.sleep(600)", timeout=1)
    run = shared.done(api, shared.run(api, job))
    assert run.status == "ENGINE_TIMEDOUT"
    assert (run.finished_at - run.running_at).total_seconds() >= 1
    assert "timeout of 1 s" in shared.output(run)


def test_timeout_without_kill_only_says_so(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    code = "import time; time.sleep(1.5)"
    job = shared.job(api, code, timeout=1, kill_on_timeout=False)
    run = shared.done(api, shared.run(api, job))
    assert run.status == "ENGINE_SUCCEEDED"
    assert "timeout of 1 s" in shared.output(run)


def test_runs_start_in_order_of_arrival(
    shared: Any, api: cmlapi.CMLServiceApi, go: Path, wait: Callable[..., Any]
) -> None:
    # 2 CPUs: the second does not fit beside the first; the third would, but came later.
    jobs = [shared.job(api, WAIT_FOR_GO, cpu=cpu) for cpu in (1.5, 1.0, 0.5)]
    first, second, third = [shared.run(api, job) for job in jobs]
    shared.reach(api, first, "ENGINE_RUNNING")
    held = f"waits for 1 CPU; {jobs[0].name} holds 1.5 of 2"
    wait("the second is told why it waits", lambda: _says(shared, second, held))
    assert waits_for(shared, api, second) == held
    behind = f"waits for 0.5 CPUs; {jobs[0].name} holds 1.5 of 2"
    turn = f"it starts after {jobs[1].name}"
    assert waits_for(shared, api, third) in (turn, f"{behind}; {turn}")
    assert shared.read(api, second).status == "ENGINE_SCHEDULING"
    assert shared.read(api, third).status == "ENGINE_SCHEDULING"
    go.touch()
    ended = [shared.done(api, run) for run in (first, second, third)]
    assert ended[0].finished_at <= ended[1].starting_at <= ended[2].starting_at


def test_run_that_can_never_fit_waits_and_blocks_no_other(
    shared: Any, api: cmlapi.CMLServiceApi, wait: Callable[..., Any]
) -> None:
    large = shared.run(api, shared.job(api, "", memory=1000))
    small = shared.run(api, shared.job(api, ""))
    assert shared.done(api, small).status == "ENGINE_SUCCEEDED"
    why = "cannot run here: it requests 1000 GiB of memory, but the machine has 4"
    wait("it is told why it waits", lambda: _says(shared, large, why))
    assert waits_for(shared, api, large) == why
    assert shared.read(api, large).status == "ENGINE_SCHEDULING"
    api.stop_job_run(shared.project_id, large.job_id, large.id)


def waits_for(shared: Any, api: cmlapi.CMLServiceApi, run: cmlapi.JobRun) -> str:
    """For what the run waits, as the API shows it."""
    return str(json.loads(shared.read(api, run).environment).get("FTS_WAITS_FOR", ""))


def _says(shared: Any, run: cmlapi.JobRun, text: str) -> bool:
    folder = shared.home / "runs" / str(run.id)
    return (folder / "output.log").exists() and text in shared.output(run)


def test_gpus_are_granted_to_one_run_at_a_time(
    shared: Any, api: cmlapi.CMLServiceApi, go: Path
) -> None:
    code = WAIT_FOR_GO + "import os; print(os.environ['CUDA_VISIBLE_DEVICES'])"
    runs = [shared.run(api, shared.job(api, code, nvidia_gpu=1)) for _ in range(2)]
    third = shared.run(api, shared.job(api, code, nvidia_gpu=2))
    for run in runs:
        shared.reach(api, run, "ENGINE_RUNNING")
    assert shared.read(api, third).status == "ENGINE_SCHEDULING"
    go.touch()
    granted = [shared.output(shared.done(api, run)).split()[-1] for run in runs]
    assert sorted(granted) == ["0", "1"]
    assert shared.output(shared.done(api, third)).split()[-1] == "0,1"


def test_accelerator_label_of_an_older_workbench_is_never_granted_if_it_is_none_here(
    harness: Any, wait: Callable[..., Any]
) -> None:
    api = harness.start()
    job = harness.job(api, "", nvidia_gpu=1)
    harness.end()
    with sqlite3.connect(harness.home / "workbench.db") as database:
        database.execute("UPDATE jobs SET accelerator_label_id = 'unicorn' WHERE id = ?", [job.id])
    api = harness.start()
    run = harness.run(api, job)
    wait("it is told why it waits", lambda: _says(harness, run, "'unicorn'"))


def test_deleting_a_job_stops_its_runs_first(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    job = shared.job(api, FAMILY + "time.sleep(600)")
    run = shared.run(api, job)
    pids = [int(pid) for pid in shared.written("pids").split()]
    api.delete_job(shared.project_id, job.id)
    assert _alive(pids) == []
    assert not (shared.home / "runs" / run.id).exists()
    with pytest.raises(ApiException) as refused:
        shared.run(api, job)
    assert refused.value.status == 404
    (shared.project / "pids").unlink()


def test_run_keeps_the_settings_its_job_had_at_creation(
    shared: Any, api: cmlapi.CMLServiceApi, go: Path
) -> None:
    blocker = shared.run(api, shared.job(api, WAIT_FOR_GO, cpu=2))
    job = shared.job(api, "import os; print(os.environ['JOB_ARGUMENTS'])", arguments="old", cpu=2)
    run = shared.run(api, job)
    api.update_job(cmlapi.Job(arguments="new"), shared.project_id, job.id)
    go.touch()
    shared.done(api, blocker)
    assert shared.output(shared.done(api, run)).split()[-1] == "old"


def test_runs_have_process_groups_of_their_own(shared: Any, api: cmlapi.CMLServiceApi) -> None:
    job = shared.job(api, "import os; print(os.getpid(), os.getpgrp(), os.getsid(0))")
    pid, group, session = shared.output(shared.done(api, shared.run(api, job))).split()
    assert pid == group == session
    assert int(group) != os.getpgrp()


def test_runs_are_sorted_by_times_that_may_be_absent(
    shared: Any, api: cmlapi.CMLServiceApi
) -> None:
    job = shared.job(api, "", cpu=1000)
    runs = [shared.run(api, job) for _ in range(4)]
    for run in (runs[2], runs[0]):
        api.stop_job_run(shared.project_id, job.id, run.id)
    listed = Cursor(api.list_job_runs, shared.project_id, job.id, sort="-finished_at", page_size=1)
    wanted = [runs[0].id, runs[2].id, runs[1].id, runs[3].id]
    assert [run.id for run in listed.items()] == wanted
    waiting = json.dumps({"status": "ENGINE_SCHEDULING"})
    left = Cursor(api.list_job_runs, shared.project_id, job.id, search_filter=waiting).items()
    assert [run.id for run in left] == [runs[1].id, runs[3].id]
    api.delete_job(shared.project_id, job.id)
