"""The only runtime: the interpreter that runs the jobs' scripts, and the packages in it."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from ft.job_protocol.exit_status import describe_exit

log = structlog.get_logger()

_PROBE = """
import importlib.util, json, platform
spec = importlib.util.find_spec("trainer")
places = list(spec.submodule_search_locations or []) if spec else []
names = ("torch", "transformers", "peft", "trl", "datasets", "accelerate", "axolotl")
lacks = [name for name in names if importlib.util.find_spec(name) is None]
print(json.dumps({"version": platform.python_version(), "trainer": places[:1], "lacks": lacks}))
"""
_PROBE_SECONDS = 60
_IMPORT_SECONDS = 300
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Runtime:
    """An interpreter. `trainer` is the folder of the trainer package, if that is installed."""

    python: Path
    version: str
    trainer: Path | None
    frameworks: tuple[str, ...] = ()
    """Frameworks that the trainer can train with; empty if they are not known."""
    unfit: str = ""
    """Reason why the trainer's own scripts cannot run there, in one sentence; empty if they can."""

    @property
    def identifier(self) -> str:
        """The name of the runtime in jobs."""
        return f"local/python:{self.version}"

    @property
    def kernel(self) -> str:
        """The language, in the form of a workspace."""
        return "Python " + ".".join(self.version.split(".")[:2])


@dataclass
class TrainerCheck:
    """Facts about the trainer in the environment of the jobs."""

    unfit: str
    """Reason why its scripts cannot run, in one sentence; empty if no reason is known."""
    done: bool = False
    """True if an import was tried. It is not tried if a reason is already known."""


_REBUILD = "run `make clean env` to rebuild its environment, then `fts down` and `fts up`"
_REMEDY = "run `make env` to create an environment with it, then `fts down` and `fts up`"


class RuntimeUnusableError(Exception):
    """The interpreter that was configured cannot be run. The message is for the operator."""


def probe(python: Path) -> Runtime:
    """Asks the interpreter about itself, without importing its packages.

    Raises RuntimeUnusableError if it does not answer like a Python interpreter.
    """
    found: dict[str, Any] = {}
    try:
        answer = subprocess.run(  # noqa: S603 - what the operator configured
            [str(python), "-c", _PROBE],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_SECONDS,
        )
        found, why = json.loads(answer.stdout), ""
    except OSError as error:
        why = error.strerror or str(error)
    except subprocess.TimeoutExpired:
        why = f"it does not answer within {_PROBE_SECONDS} s"
    except ValueError:
        said = (answer.stderr or answer.stdout).strip().splitlines()
        why = said[-1] if said else f"it {describe_exit(answer.returncode)}"
    if why:
        raise RuntimeUnusableError(
            f"FTS_WORKBENCH_PYTHON: {python}, the interpreter for jobs, cannot be used ({why}): "
            f"{_REBUILD}"
        )
    trainer = Path(found["trainer"][0]) if found["trainer"] else None
    lacks = [name for name in found["lacks"] if name != "axolotl"]
    unfit = ""
    if trainer is None or lacks:
        what = ", ".join(lacks) if trainer else "the trainer"
        unfit = f"{what} is not installed for {python}, which runs the jobs: {_REMEDY}"
        log.warning("jobs with the studio's own scripts are refused", why=unfit)
    frameworks = ("legacy",) if "axolotl" in found["lacks"] else ("legacy", "axolotl")
    return Runtime(python, found["version"], trainer, frameworks if trainer else (), unfit)


_IMPORTS = "import torch, transformers, peft, trl, datasets, trainer.training.job"


def import_fault(runtime: Runtime, stop: Callable[[], bool] = lambda: False) -> str:
    """Reason why the trainer's libraries cannot be imported; empty if they can, or if unknown."""
    with tempfile.TemporaryFile() as output:
        # Nice: nobody waits for the answer, and it takes seconds of a CPU.
        process = subprocess.Popen(  # noqa: S603 - what the operator configured
            [str(runtime.python), "-c", f"import os; os.nice(15); {_IMPORTS}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        )
        deadline = time.monotonic() + _IMPORT_SECONDS
        while process.poll() is None:
            if stop() or time.monotonic() > deadline:
                process.kill()
                process.wait()
                return ""
            time.sleep(_POLL_SECONDS)
        if process.returncode == 0:
            return ""
        output.seek(0)
        lines = output.read().decode(errors="replace").strip().splitlines()
    said = lines[-1].strip() if lines else describe_exit(process.returncode)
    return (
        f"the trainer cannot be imported by {runtime.python}, which runs the jobs ({said}): "
        f"{_REBUILD}"
    )
