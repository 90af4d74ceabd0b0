"""Records as the API's documents."""

import getpass
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import cmlapi
from chassis.rpc import errors
from cmlapi import serialization
from cmlapi.models.base import ApiModel
from ft.job_protocol.variables import WAITS_FOR
from services.workbench.host import labels
from services.workbench.store import tables

M = TypeVar("M", bound=ApiModel)


def document(kind: type[M], row: object, **more: Any) -> M:
    """A document of `kind` with the fields that `row` has, and `more`."""
    fields = {name: getattr(row, name) for name in kind.swagger_types if hasattr(row, name)}
    return kind(**fields | more)


@cache
def user() -> cmlapi.ShortUser:
    """The only user: the one who runs the workbench."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user id need not have a name
        name = "local"
    return cmlapi.ShortUser(username=name, name=name, email="")


def project(row: tables.ProjectRow) -> cmlapi.Project:
    """A project."""
    everything = cmlapi.ProjectPermissions(read=True, write=True, admin=True, inherit=False)
    return document(
        cmlapi.Project,
        row,
        owner=user(),
        creator=user(),
        permissions=everything,
        environment=json.dumps(row.environment),
    )


def short_project(row: tables.ProjectRow) -> cmlapi.ShortProject:
    """A project as a part of another document."""
    return cmlapi.ShortProject(
        public_identifier=row.id,
        name=row.name,
        default_project_engine=row.default_engine_type,
        slug=row.name,
    )


def job(row: tables.JobRow, of: tables.ProjectRow) -> cmlapi.Job:
    """A job."""
    return document(
        cmlapi.Job,
        row,
        creator=user(),
        owner=user(),
        project=short_project(of),
        environment=json.dumps(row.environment),
        timeout=str(row.timeout),
        accelerator_label_id=row.accelerator_label_id or labels.SHOWN_NONE,
    )


def job_run(row: tables.JobRunRow, waits_for: str = "") -> cmlapi.JobRun:
    """A run of a job, and what it waits for."""
    reason = {WAITS_FOR: waits_for} if waits_for else {}
    environment = json.dumps(row.environment | reason)
    return document(cmlapi.JobRun, row, creator=user(), environment=environment)


def model(row: tables.ModelRow, of: tables.ProjectRow) -> cmlapi.Model:
    """A model."""
    return document(
        cmlapi.Model,
        row,
        creator=user(),
        project=short_project(of),
        accelerator_label_id=row.accelerator_label_id or labels.SHOWN_NONE,
        default_resources=cmlapi.DefaultResources(
            cpu_millicores=str(round(row.cpu * 1000)),
            memory_mb=str(round(row.memory * 1024)),
            nvidia_gpus=str(row.nvidia_gpus),
        ),
        default_replication_policy=cmlapi.DefaultReplicationPolicy(
            type="fixed", num_replicas=str(row.replicas)
        ),
    )


def model_build(row: tables.ModelBuildRow) -> cmlapi.ModelBuild:
    """A build of a model."""
    return document(cmlapi.ModelBuild, row, creator=user())


def model_deployment(row: tables.ModelDeploymentRow) -> cmlapi.ModelDeployment:
    """A deployment of a build."""
    return document(
        cmlapi.ModelDeployment, row, deployer=user(), environment=json.dumps(row.environment)
    )


def registered_model(row: tables.RegisteredModelRow, count: int) -> cmlapi.RegisteredModelDetails:
    """A model of the registry with the number of its versions, `count`, but without the
    versions."""
    return document(cmlapi.RegisteredModelDetails, row, model_id=row.id, owner=user(), count=count)


def registered_model_version(
    row: tables.RegisteredModelVersionRow,
) -> cmlapi.RegisteredModelVersion:
    """A version of a registered model."""
    tags = [cmlapi.Tag(**tag) for tag in row.tags]
    metadata = cmlapi.ModelVersionMetadata(
        mlops_type=cmlapi.MLOPSType.MLFLOW,
        project_id=row.project_id,
        owner=user(),
        mlflow_metadata=cmlapi.MLflowMetadata(experiment_id=row.experiment_id, run_id=row.run_id),
    )
    return document(
        cmlapi.RegisteredModelVersion,
        row,
        model_version_id=row.id,
        version_name=f"v{row.number}",
        user=user(),
        model_version_metadata=metadata,
        tags=tags,
    )


def file(root: Path, path: Path) -> cmlapi.FileInfo:
    """A file or folder below `root`."""
    # A link's own facts, not those of what it points to, which may lie outside.
    return cmlapi.FileInfo(
        path=path.relative_to(root).as_posix(),
        is_dir=path.is_dir() and not path.is_symlink(),
        file_size=str(path.lstat().st_size),
    )


def plain(document: ApiModel) -> Any:
    """A document as JSON data."""
    return serialization.to_json(document)


def environment(field: str, text: str) -> dict[str, str]:
    """Returns the variables in `text`, a JSON object; raises InvalidArgument naming `field`."""
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise errors.InvalidArgument(f"{field}: not JSON: {error}") from None
    if not isinstance(found, dict):
        raise errors.InvalidArgument(f"{field}: must be a JSON object of variable and value")
    return variables(field, found)


def variables(field: str, found: Mapping[Any, Any]) -> dict[str, str]:
    """Returns `found` as environment variables; raises InvalidArgument naming those that cannot be
    variables."""
    for name, value in found.items():
        if not isinstance(value, str):
            raise errors.InvalidArgument(f"{field}: {name}: must be a string")
        if not name or "=" in name or "\0" in name or "\0" in value:
            raise errors.InvalidArgument(f"{field}: {name!r} cannot be an environment variable")
    return dict(found)


def given(body: object, names: Iterable[str]) -> dict[str, Any]:
    """Returns those of the named fields of `body` that are set."""
    fields = {name: getattr(body, name) for name in names}
    return {name: value for name, value in fields.items() if value is not None}


def apply(row: tables.Row, changes: Mapping[str, Any]) -> None:
    """Sets those columns, and the time of the change."""
    for name, value in {**changes, "updated_at": tables.utc_now()}.items():
        setattr(row, name, value)
