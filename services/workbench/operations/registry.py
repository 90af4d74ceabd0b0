"""The model registry: names, and the versions that are logged under them."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import cmlapi
from chassis.rpc import errors
from services.workbench.api import views
from services.workbench.api.lists import ListOperation, ListParameters, ListQuery
from services.workbench.context import Bench
from services.workbench.operations.lookup import project_row, require_row
from services.workbench.store.tables import RegisteredModelRow, RegisteredModelVersionRow, utc_now

_MODELS = ListOperation(
    "list_registered_models",
    RegisteredModelRow,
    cmlapi.RegisteredModelDetails,
    {"model_name": RegisteredModelRow.name.expression},
)
_VERSIONS = ListOperation(
    "get_registered_model", RegisteredModelVersionRow, cmlapi.RegisteredModelVersion
)


async def list_registered_models(
    bench: Bench, query: ListParameters
) -> cmlapi.ListRegisteredModelsResponse:
    """List the registry's models."""

    def work(session: Session) -> cmlapi.ListRegisteredModelsResponse:
        rows, token = _MODELS.page(session, query)
        models = [views.registered_model(row, _count(session, row.id)) for row in rows]
        return cmlapi.ListRegisteredModelsResponse(models=models, next_page_token=token)

    return bench.database.read(work)


async def get_registered_model(
    bench: Bench, model_id: str, query: ListParameters
) -> cmlapi.RegisteredModel:
    """Read a model and a page of its versions."""
    return bench.database.read(lambda s: _with_versions(s, _model(s, model_id), query))


async def create_registered_model(
    bench: Bench, body: cmlapi.CreateRegisteredModelRequest
) -> cmlapi.RegisteredModel:
    """Register a logged model under a new name, or as the next version of a known one."""
    name = (body.model_name or "").strip()
    if not name:
        raise errors.InvalidArgument("model_name: must be given")
    project_id = body.project_id or bench.settings.workbench_project_id

    def work(session: Session) -> cmlapi.RegisteredModel:
        project_row(session, project_id)
        model = session.scalar(select(RegisteredModelRow).where(RegisteredModelRow.name == name))
        if model is None:
            model = RegisteredModelRow(
                name=name, **views.given(body, ("description", "visibility"))
            )
            session.add(model)
            session.flush()
        model.last_number += 1
        model.updated_at = utc_now()
        session.add(
            RegisteredModelVersionRow(
                model_id=model.id,
                number=model.last_number,
                project_id=project_id,
                tags=[tag.to_dict() for tag in body.tags or []],
                **views.given(body, ("experiment_id", "run_id", "model_path", "notes")),
            )
        )
        session.flush()
        return _with_versions(session, model, ListQuery())

    return await bench.database.write(work)


async def delete_registered_model(
    bench: Bench, model_id: str
) -> cmlapi.DeleteRegisteredModelResponse:
    """Delete a model with its versions."""

    def work(session: Session) -> None:
        session.delete(_model(session, model_id))

    await bench.database.write(work)
    return cmlapi.DeleteRegisteredModelResponse()


async def get_registered_model_version(
    bench: Bench, model_id: str, version_id: str
) -> cmlapi.RegisteredModelVersion:
    """Read a version."""
    return bench.database.read(
        lambda s: views.registered_model_version(_version(s, model_id, version_id))
    )


async def delete_registered_model_version(
    bench: Bench, model_id: str, version_id: str
) -> cmlapi.DeleteRegisteredModelVersionResponse:
    """Delete a version."""

    def work(session: Session) -> None:
        session.delete(_version(session, model_id, version_id))

    await bench.database.write(work)
    return cmlapi.DeleteRegisteredModelVersionResponse()


def _with_versions(
    session: Session, model: RegisteredModelRow, query: ListParameters
) -> cmlapi.RegisteredModel:
    rows, token = _VERSIONS.page(session, query, RegisteredModelVersionRow.model_id == model.id)
    details = views.registered_model(model, _count(session, model.id))
    return views.document(
        cmlapi.RegisteredModel,
        details,
        model_versions=[views.registered_model_version(row) for row in rows],
        next_page_token=token,
    )


def _count(session: Session, model_id: str) -> int:
    versions = RegisteredModelVersionRow.model_id == model_id
    return session.scalar(select(func.count()).where(versions)) or 0


def _model(session: Session, model_id: str) -> RegisteredModelRow:
    wanted = RegisteredModelRow.id == model_id
    missing = f"registered model {model_id!r} does not exist"
    return require_row(session, RegisteredModelRow, wanted, missing)


def _version(session: Session, model_id: str, version_id: str) -> RegisteredModelVersionRow:
    _model(session, model_id)
    table = RegisteredModelVersionRow
    wanted = (table.id == version_id) & (table.model_id == model_id)
    missing = f"version {version_id!r} of model {model_id!r} does not exist"
    return require_row(session, table, wanted, missing)
