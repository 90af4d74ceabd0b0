"""Lookup of projects, jobs, runs and models by the ids in an operation's path."""

from typing import TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from chassis.rpc import errors
from services.workbench.store.tables import (
    JobRow,
    JobRunRow,
    ModelBuildRow,
    ModelDeploymentRow,
    ModelRow,
    ProjectRow,
)

Row = TypeVar("Row")


def project_row(session: Session, project_id: str) -> ProjectRow:
    """The project of that id; raises NotFound."""
    wanted = ProjectRow.id == project_id
    return require_row(session, ProjectRow, wanted, f"project {project_id!r} does not exist")


def job_row(session: Session, project_id: str, job_id: str) -> JobRow:
    """The job of that id, unless it is being deleted; raises NotFound."""
    project_row(session, project_id)
    wanted = (JobRow.id == job_id) & (JobRow.project_id == project_id) & ~JobRow.deleting
    missing = f"job {job_id!r} does not exist in project {project_id!r}"
    return require_row(session, JobRow, wanted, missing)


def run_row(session: Session, project_id: str, job_id: str, run_id: str) -> JobRunRow:
    """The run of that id; raises NotFound."""
    job_row(session, project_id, job_id)
    wanted = (JobRunRow.id == run_id) & (JobRunRow.job_id == job_id)
    return require_row(
        session, JobRunRow, wanted, f"run {run_id!r} of job {job_id!r} does not exist"
    )


def model_row(session: Session, project_id: str, model_id: str) -> ModelRow:
    """The model of that id; raises NotFound."""
    project_row(session, project_id)
    wanted = (ModelRow.id == model_id) & (ModelRow.project_id == project_id)
    missing = f"model {model_id!r} does not exist in project {project_id!r}"
    return require_row(session, ModelRow, wanted, missing)


def build_row(session: Session, project_id: str, model_id: str, build_id: str) -> ModelBuildRow:
    """The build of that id; raises NotFound."""
    model_row(session, project_id, model_id)
    wanted = (ModelBuildRow.id == build_id) & (ModelBuildRow.model_id == model_id)
    missing = f"build {build_id!r} of model {model_id!r} does not exist"
    return require_row(session, ModelBuildRow, wanted, missing)


def deployment_row(
    session: Session, project_id: str, model_id: str, build_id: str, deployment_id: str
) -> ModelDeploymentRow:
    """The deployment of that id; raises NotFound."""
    build_row(session, project_id, model_id, build_id)
    wanted = (ModelDeploymentRow.id == deployment_id) & (ModelDeploymentRow.build_id == build_id)
    missing = f"deployment {deployment_id!r} of build {build_id!r} does not exist"
    return require_row(session, ModelDeploymentRow, wanted, missing)


def require_row(
    session: Session, kind: type[Row], wanted: ColumnElement[bool], missing: str
) -> Row:
    """The row that meets the condition; raises NotFound with the message `missing`."""
    row = session.scalar(select(kind).where(wanted))
    if row is None:
        raise errors.NotFound(missing)
    return row
