"""Projects: there is one."""

from sqlalchemy.orm import Session

import cmlapi
from chassis.rpc import errors
from services.workbench.api import views
from services.workbench.api.lists import ListOperation, ListParameters
from services.workbench.context import Bench
from services.workbench.operations.lookup import project_row
from services.workbench.store.tables import ProjectRow

_PROJECTS = ListOperation("list_projects", ProjectRow, cmlapi.Project)
_CHANGEABLE = ("name", "description", "visibility", "shared_memory_limit")


async def list_projects(bench: Bench, query: ListParameters) -> cmlapi.ListProjectsResponse:
    """List projects."""
    rows, token = bench.database.read(lambda s: _PROJECTS.page(s, query))
    return cmlapi.ListProjectsResponse(
        projects=[views.project(row) for row in rows], next_page_token=token
    )


async def get_project(bench: Bench, project_id: str) -> cmlapi.Project:
    """Read a project."""
    return bench.database.read(lambda s: views.project(project_row(s, project_id)))


async def update_project(bench: Bench, project_id: str, body: cmlapi.Project) -> cmlapi.Project:
    """Change the fields that are given."""
    changes = views.given(body, _CHANGEABLE)
    if body.environment is not None:
        changes["environment"] = views.environment("environment", body.environment)

    def work(session: Session) -> cmlapi.Project:
        row = project_row(session, project_id)
        views.apply(row, changes)
        return views.project(row)

    return await bench.database.write(work)


async def list_project_files(
    bench: Bench, project_id: str, path: str
) -> cmlapi.ListProjectFilesResponse:
    """List a folder, or one file."""
    bench.database.read(lambda s: project_row(s, project_id))
    root = bench.settings.project.resolve()
    try:
        found = (root / path.lstrip("/")).resolve()
    except (OSError, ValueError) as error:
        raise errors.InvalidArgument(f"path: {path!r} is not a path: {error}") from None
    if not found.is_relative_to(root):
        raise errors.InvalidArgument(f"path: {path!r} lies outside the project")
    if not found.exists():
        raise errors.NotFound(f"path: {path!r} does not exist in the project")
    entries = sorted(found.iterdir()) if found.is_dir() else [found]
    return cmlapi.ListProjectFilesResponse(files=[views.file(root, entry) for entry in entries])
