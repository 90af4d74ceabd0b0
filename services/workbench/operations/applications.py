"""Applications: the workbench has none, so lists of them are empty."""

import cmlapi
from chassis.rpc import errors
from services.workbench.api.lists import ListParameters, check_empty
from services.workbench.context import Bench
from services.workbench.operations.lookup import project_row


async def list_applications(
    bench: Bench, project_id: str, query: ListParameters
) -> cmlapi.ListApplicationsResponse:
    """List a project's applications."""
    bench.database.read(lambda s: project_row(s, project_id))
    check_empty("list_applications", query)
    return cmlapi.ListApplicationsResponse(applications=[], next_page_token="")


async def get_application(bench: Bench, project_id: str, application_id: str) -> cmlapi.Application:
    """Raises NotFound."""
    bench.database.read(lambda s: project_row(s, project_id))
    raise errors.NotFound(f"application {application_id!r} does not exist")
