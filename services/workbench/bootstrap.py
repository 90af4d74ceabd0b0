"""Initial contents of the workbench: its project, runtime, accelerators, template jobs."""

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ft.job_protocol.template_jobs import SCRIPTS
from ft.job_protocol.variables import CAPACITY, FRAMEWORKS, NO_TRAINER
from services.workbench.host import labels
from services.workbench.host.machine import Machine
from services.workbench.host.runtime import Runtime
from services.workbench.settings import WorkbenchSettings
from services.workbench.store.tables import JobRow, ProjectRow, RuntimeRow

log = structlog.get_logger()

PROJECT_NAME = "Fine Tuning Studio"
STARTER_PARTS = ("model", "intents")


def seed(
    session: Session, settings: WorkbenchSettings, machine: Machine, runtime: Runtime
) -> Machine:
    """Updates the database to the present machine and runtime; returns the machine with its
    accelerator labels."""
    project_id = settings.workbench_project_id
    if session.scalar(select(ProjectRow).where(ProjectRow.id == project_id)) is None:
        session.add(ProjectRow(id=project_id, name=PROJECT_NAME))
        session.flush()
    session.execute(delete(RuntimeRow))
    session.add(
        RuntimeRow(
            image_identifier=runtime.identifier,
            editor="Workbench",
            kernel=runtime.kernel,
            edition="Standard",
            description="The Python of this machine that runs the studio's jobs",
            full_version=runtime.version,
            status="ENABLED",
        )
    )
    machine = replace(machine, labels=labels.seed(session, machine))
    for name, script in SCRIPTS.items():
        wanted = select(JobRow).where(JobRow.name == name, JobRow.project_id == project_id)
        job = session.scalar(wanted)
        if job is None:
            job = JobRow(project_id=project_id, name=name, script=script)
            session.add(job)
            session.flush()
        # Where the trainer lies and which Python runs it may have changed since the last start.
        job.script = str((runtime.trainer or Path("trainer")) / "scripts" / script)
        job.runtime_identifier = runtime.identifier
        job.kernel = runtime.kernel
    set_variable(session, FRAMEWORKS, ",".join(runtime.frameworks))
    set_variable(session, CAPACITY, json.dumps(machine.most()))
    set_variable(session, NO_TRAINER, runtime.unfit)
    return machine


def set_variable(session: Session, variable: str, value: str) -> None:
    """Sets an environment variable of every template job."""
    for job in session.scalars(select(JobRow).where(JobRow.name.in_(SCRIPTS))):
        job.environment = {**job.environment, variable: value}


def copy_starter(settings: WorkbenchSettings, runtime: Runtime) -> None:
    """Copies the starter model and data into the project, unless it has them."""
    source = settings.workbench_starter_dir
    if source is None and runtime.trainer is not None:
        source = runtime.trainer / "starter"
    if source is None:
        return
    target = settings.project / "starter"
    for part in STARTER_PARTS:
        if (source / part).is_dir() and not (target / part).exists():
            try:
                _copy_whole(source / part, target / part)
            except OSError as error:
                # A project may be read-only, and be used for what needs no more.
                log.warning("the starter is not copied into the project", error=str(error))
                return
            log.info("starter copied into the project", location=str(target / part))


def _copy_whole(source: Path, target: Path) -> None:
    # Whole or not at all: a copy that was cut short would never be completed.
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".copy-") as temporary:
        copy = Path(temporary) / target.name
        shutil.copytree(source, copy)
        copy.replace(target)
