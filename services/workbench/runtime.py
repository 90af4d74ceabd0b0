"""The one runtime: the interpreter that runs the jobs' scripts, and what is installed in it."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

_PROBE = """
import importlib.util, json, platform
spec = importlib.util.find_spec("trainer")
places = list(spec.submodule_search_locations or []) if spec else []
axolotl = importlib.util.find_spec("axolotl") is not None
print(json.dumps(
    {"version": platform.python_version(), "trainer": places[:1], "axolotl": axolotl}
))
"""
_PROBE_SECONDS = 60


@dataclass(frozen=True)
class Runtime:
    """An interpreter. `trainer` is the folder of the trainer package, if that is installed."""

    python: Path
    version: str
    trainer: Path | None
    frameworks: tuple[str, ...] = ()
    """With what the trainer can train; empty if that is not known."""

    @property
    def identifier(self) -> str:
        """What jobs call the runtime."""
        return f"local/python:{self.version}"

    @property
    def kernel(self) -> str:
        """The language, as a workspace names it."""
        return "Python " + ".".join(self.version.split(".")[:2])


class RuntimeUnusableError(Exception):
    """The interpreter that was configured cannot be run. The message is for the operator."""


def probe(python: Path) -> Runtime:
    """Ask the interpreter about itself, without importing what is installed in it."""
    try:
        answer = subprocess.run(  # noqa: S603 - what the operator configured
            [str(python), "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise RuntimeUnusableError(f"FTS_WORKBENCH_PYTHON: {python}: {error}") from error
    found = json.loads(answer.stdout)
    trainer = Path(found["trainer"][0]) if found["trainer"] else None
    if trainer is None:
        log.warning(
            "no package `trainer` in the runtime: template jobs will fail", python=str(python)
        )
    frameworks = ("legacy", "axolotl") if found["axolotl"] else ("legacy",)
    return Runtime(python, found["version"], trainer, frameworks if trainer else ())
