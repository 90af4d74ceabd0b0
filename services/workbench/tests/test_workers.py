"""Workers of a run: what a script gets from `cml.workers_v1` on the workbench."""

import json
from typing import Any

import psutil

import cmlapi

LAUNCHES = """
import json, os, pathlib
from cml import workers_v1
code = ("import json, os, pathlib, time;"
        "rank = os.environ['CML_FTS_JOB_NODE_RANK'];"
        "names = ('CDSW_ENGINE_TYPE', 'CDSW_MASTER_ID', 'CUDA_VISIBLE_DEVICES');"
        "seen = {name: os.environ[name] for name in names};"
        "told = json.dumps({'pid': os.getpid(), **seen}) + chr(10);"
        "pathlib.Path('worker' + rank).write_text(told);"
        "[time.sleep(0.05) for _ in range(12000)"
        " if rank == '2' or not pathlib.Path('worker2').exists()];"
        "raise SystemExit(3)")
[first], [second] = [
    workers_v1.launch_workers(
        n=1, cpu=1, memory=1, nvidia_gpu=1, code=code, env={"CML_FTS_JOB_NODE_RANK": rank}
    )
    for rank in ("1", "2")
]
told = {
    "up": workers_v1.await_workers([second], wait_for_completion=False)["failures"],
    "failed": workers_v1.await_workers([first["id"]])["failures"],
    "listed": workers_v1.list_workers(),
}
try:
    workers_v1.launch_workers(n=1, cpu=1, memory=1, nvidia_gpu=2, code=code)
except ValueError as error:
    told["refused"] = str(error)
pathlib.Path("told").write_text(json.dumps(told) + "\\n")
import time
time.sleep(600)
"""


def test_run_starts_workers_sees_them_end_and_ends_them(
    shared: Any, api: cmlapi.CMLServiceApi
) -> None:
    job = shared.job(api, LAUNCHES, nvidia_gpu=2)
    run = shared.run(api, job)

    told, first, second = (
        json.loads(shared.written(name)) for name in ("told", "worker1", "worker2")
    )

    assert told["up"] == []
    [failed] = told["failed"]
    assert (failed["status"], failed["exit_code"]) == ("failed", 3)
    assert [worker["status"] for worker in told["listed"]] == ["failed", "running"]
    assert told["refused"] == "launch_workers: 2 GPUs are wanted, and 1 are free"
    # The run's own process has the first GPU; the first worker gave its one back.
    assert (first["CUDA_VISIBLE_DEVICES"], second["CUDA_VISIBLE_DEVICES"]) == ("1", "0")
    assert (second["CDSW_ENGINE_TYPE"], second["CDSW_MASTER_ID"]) == ("worker", run.id)
    api.stop_job_run(shared.project_id, job.id, run.id)
    shared.reach(api, run, "ENGINE_STOPPED")
    assert not psutil.pid_exists(second["pid"])
