"""Settings of the workbench."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from chassis.config import Settings, matching, number, variable


@dataclass(frozen=True, kw_only=True)
class WorkbenchSettings(Settings):
    """Settings of the workbench, read from `FTS_` variables."""

    service: str = "workbench"
    workbench_host: str = variable("FTS_WORKBENCH_HOST", str, "127.0.0.1")
    """Address to listen on. Any address but loopback gives access to the machine to everybody who
    has the key."""
    workbench_port: int = variable("FTS_WORKBENCH_PORT", number(int, least=0, most=65535), 0)
    """Port; 0 for the last one if it is free, or else any free port."""
    workbench_url_file: Path | None = variable("FTS_WORKBENCH_URL_FILE", Path, None)
    """File for the address, written when the port is bound; `<home>/workbench.url` if not set."""
    workbench_key_file: Path | None = variable("FTS_WORKBENCH_KEY_FILE", Path, None)
    """The bearer key, created at the first start; `<home>/workbench.key` if not set."""
    workbench_project_id: str = variable(
        "FTS_WORKBENCH_PROJECT_ID", matching(r"^[A-Za-z0-9._-]+$"), "local"
    )
    """Id of the only project."""
    workbench_python: Path = variable("FTS_WORKBENCH_PYTHON", Path, Path(sys.executable))
    """Interpreter that runs the jobs' scripts."""
    workbench_cpu: float | None = variable("FTS_WORKBENCH_CPU", number(float, above=0), None)
    """CPUs that runs may hold together; what the machine has if not set."""
    workbench_memory_gib: float | None = variable(
        "FTS_WORKBENCH_MEMORY_GIB", number(float, above=0), None
    )
    """Memory in GiB that runs may hold together; what the machine has if not set."""
    workbench_gpus: int | None = variable("FTS_WORKBENCH_GPUS", number(int, least=0), None)
    """GPUs that runs may hold together; what the machine has if not set."""
    workbench_starter_dir: Path | None = variable("FTS_WORKBENCH_STARTER_DIR", Path, None)
    """Folder whose `model` and `intents` are copied into a new project; the trainer's if unset."""
    workbench_stop_grace_seconds: float = variable(
        "FTS_WORKBENCH_STOP_GRACE_SECONDS", number(float, least=0), 10.0
    )
    """Time between TERM and KILL when a run is ended."""

    workbench_model_pause_seconds: float = variable(
        "FTS_WORKBENCH_MODEL_PAUSE_SECONDS", number(float, above=0), 1.0
    )
    """Pause before a served model that has failed is started again; four times as long each
    time."""
    workbench_model_alone_seconds: float = variable(
        "FTS_WORKBENCH_MODEL_ALONE_SECONDS", number(float, above=0), 600.0
    )
    """Time for which a served model continues after its workbench was killed and not started
    again."""

    @property
    def home_dir(self) -> Path:
        """Folder of the workbench's state, absolute."""
        return self.home.absolute()

    @property
    def python(self) -> Path:
        """Interpreter of the runs, absolute, because runs start in another folder than the
        workbench."""
        found = shutil.which(self.workbench_python)
        # Not resolved: an interpreter's own name is how it finds its virtual environment.
        return Path(found or self.workbench_python).absolute()

    @property
    def runs_dir(self) -> Path:
        """Folder with a folder for each run."""
        return self.home_dir / "runs"

    @property
    def models_dir(self) -> Path:
        """Folder with a folder for each deployment of a model."""
        return self.home_dir / "models"

    @property
    def database_file(self) -> Path:
        """The SQLite file."""
        return self.home_dir / "workbench.db"

    @property
    def url_file(self) -> Path:
        """The file with the bound address."""
        return self.workbench_url_file or self.home_dir / "workbench.url"

    @property
    def key_file(self) -> Path:
        """The file with the bearer key."""
        return self.workbench_key_file or self.home_dir / "workbench.key"
