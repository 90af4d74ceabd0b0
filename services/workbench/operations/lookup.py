"""Lookup of projects, models, builds and deployments by the ids in an operation's path."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.rpc import errors
from services.workbench.store.tables import ModelBuildRow, ModelDeploymentRow, ModelRow, ProjectRow


def project_row(session: Session, project_id: str) -> ProjectRow:
    """The project of that id; raises NotFound."""
    row = session.scalar(select(ProjectRow).where(ProjectRow.id == project_id))
    if row is None:
        raise errors.NotFound(f"project {project_id!r} does not exist")
    return row


def model_row(session: Session, project_id: str, model_id: str) -> ModelRow:
    """The model of that id; raises NotFound."""
    project_row(session, project_id)
    wanted = (ModelRow.id == model_id) & (ModelRow.project_id == project_id)
    row = session.scalar(select(ModelRow).where(wanted))
    if row is None:
        raise errors.NotFound(f"model {model_id!r} does not exist in project {project_id!r}")
    return row


def build_row(session: Session, project_id: str, model_id: str, build_id: str) -> ModelBuildRow:
    """The build of that id; raises NotFound."""
    model_row(session, project_id, model_id)
    wanted = (ModelBuildRow.id == build_id) & (ModelBuildRow.model_id == model_id)
    row = session.scalar(select(ModelBuildRow).where(wanted))
    if row is None:
        raise errors.NotFound(f"build {build_id!r} of model {model_id!r} does not exist")
    return row


def deployment_row(
    session: Session, project_id: str, model_id: str, build_id: str, deployment_id: str
) -> ModelDeploymentRow:
    """The deployment of that id; raises NotFound."""
    build_row(session, project_id, model_id, build_id)
    wanted = (ModelDeploymentRow.id == deployment_id) & (ModelDeploymentRow.build_id == build_id)
    row = session.scalar(select(ModelDeploymentRow).where(wanted))
    if row is None:
        raise errors.NotFound(f"deployment {deployment_id!r} of build {build_id!r} does not exist")
    return row
