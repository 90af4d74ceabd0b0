"""Served models and GPUs: who holds them, and what follows when one fails in a process."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.workbench.tests.served_models import Served


def test_model_without_its_gpus_is_served_with_a_notice(
    shared: Any, deploy: Callable[..., Served]
) -> None:
    code = "import os\ndef answer(args): return os.environ['CUDA_VISIBLE_DEVICES']"
    served = deploy(shared, code, nvidia_gpus=3, cpu=100, memory=1000)
    assert served.call({})[1]["response"] == "0,1"
    assert "asks for 3 GPU(s); the machine has 2" in served.log()


def test_model_gets_gpus_of_its_label(
    harness: Any, deploy: Callable[..., Served], tmp_path: Path
) -> None:
    command = tmp_path / "bin" / "nvidia-smi"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\necho '0, NVIDIA B'\necho '1, NVIDIA A'\n")
    command.chmod(0o755)
    harness.settings["PATH"] = f"{command.parent}:{os.environ['PATH']}"
    harness.start()
    code = "import os\ndef answer(args): return os.environ['CUDA_VISIBLE_DEVICES']"
    served = deploy(harness, code, nvidia_gpus=1, accelerator_label_id=1)
    assert served.model.accelerator_label_id == "1"
    assert served.call({})[1]["response"] == "1"


def test_gpus_are_not_given_away_twice(
    shared: Any, deploy: Callable[..., Served], wait: Callable[..., Any]
) -> None:
    api = shared.client()
    served = deploy(shared, "def answer(args): return 1", nvidia_gpus=2)
    job = shared.job(api, "", nvidia_gpu=1)
    run = shared.run(api, job)
    wait("it waits", lambda: (shared.home / "runs" / run.id / "output.log").exists())
    assert shared.read(api, run).status == "ENGINE_SCHEDULING"
    api.stop_model_deployment(*served.there)
    assert shared.done(api, run).status == "ENGINE_SUCCEEDED"


def test_gpus_of_a_process_that_is_ending_are_not_free(
    harness: Any, deploy: Callable[..., Served], wait: Callable[..., Any]
) -> None:
    harness.settings["FTS_WORKBENCH_STOP_GRACE_SECONDS"] = "600"
    api = harness.start()
    served = deploy(
        harness,
        """
        import pathlib, signal, sys, time
        def told(*_):
            pathlib.Path("told").touch()
            while not pathlib.Path("may-end").exists():
                time.sleep(0.01)
            sys.exit()
        signal.signal(signal.SIGTERM, told)
        def answer(args): return 1
        """,
        nvidia_gpus=2,
    )
    # It is pending from now on, while its process still holds the GPUs.
    api.restart_model_deployment(*served.there)
    wait("its process is told to end", (harness.project / "told").exists)
    run = harness.run(api, harness.job(api, "", nvidia_gpu=1))
    wait("it waits", lambda: (harness.home / "runs" / run.id / "output.log").exists())
    assert harness.read(api, run).status == "ENGINE_SCHEDULING"
    (harness.project / "may-end").touch()
    wait("it serves again", lambda: served.call({})[0] == 200)
    assert harness.read(api, run).status == "ENGINE_SCHEDULING"
    api.stop_model_deployment(*served.there)
    assert harness.done(api, run).status == "ENGINE_SUCCEEDED"


# Plays torch on a GPU: after a first error, each further use of the GPU fails in the same way.
SCRIPT = """
import os
class AcceleratorError(RuntimeError): ...
class OutOfMemoryError(RuntimeError): ...
spoilt = False

def compute(args):
    global spoilt
    spoilt = spoilt or args.get("spoil", False)
    if spoilt:
        raise AcceleratorError("CUDA error: device-side assert triggered\\nCompile with ...")
    if args.get("full"):
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    return os.getpid()

def answer(args):
    try:
        return compute(args)
    except RuntimeError as error:
        if args.get("wrapped"):
            raise TypeError("no answer") from error
        raise
"""


@pytest.fixture
def served(harness: Any, deploy: Callable[..., Served]) -> Served:
    harness.settings["FTS_WORKBENCH_MODEL_PAUSE_SECONDS"] = "0.01"
    harness.start()
    return deploy(harness, SCRIPT)


@pytest.mark.parametrize("how", [{}, {"wrapped": True}])
def test_process_with_a_failed_gpu_is_replaced(
    served: Served, wait: Callable[..., Any], how: dict[str, bool]
) -> None:
    first = served.call({})[1]["response"]
    status, content = served.call({"spoil": True} | how)
    assert (status, content["success"]) == (500, False), "whoever asked learns of it"
    wait("another process answers", lambda: _process(served) not in (None, first))
    assert "a GPU has failed in this process" in served.log()


def test_process_that_ran_out_of_memory_goes_on(served: Served) -> None:
    first = served.call({})[1]["response"]
    status, content = served.call({"full": True})
    assert (status, content["errors"]) == (
        500,
        ["OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."],
    )
    assert served.call({})[1]["response"] == first


def test_request_that_breaks_every_process_is_given_up(
    served: Served, wait: Callable[..., Any]
) -> None:
    for _ in range(4):
        wait("it answers", lambda: served.call({"spoil": True})[0] == 500)
    wait("it has failed", lambda: served.status() == "failed")
    assert "exit status 70 4 times in a row" in served.log()


def _process(served: Served) -> Any:
    status, content = served.call({})
    return content["response"] if status == 200 else None
