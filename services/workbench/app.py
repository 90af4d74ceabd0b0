"""The HTTP application: a route for each operation of the API description."""

import re
from types import ModuleType
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.rpc import errors
from services.workbench.api import errors as api_errors
from services.workbench.api import keys
from services.workbench.api.description import description
from services.workbench.client import archive
from services.workbench.context import WorkbenchContext
from services.workbench.operations import (
    applications,
    deployments,
    experiments,
    jobs,
    machine,
    models,
    projects,
    registry,
)
from services.workbench.serving import calls

CLIENT_PATH = f"/api/v2/{archive.FILE_NAME}"
HEALTH_PATH = "/healthz"
LOGS_PATH = (
    "/api/v2/projects/{project_id}/models/{model_id}/builds/{build_id}"
    "/deployments/{deployment_id}/logs"
)
# What needs no key, or is let in by another: a model may be open to anyone with its access key.
_OPEN = (CLIENT_PATH, HEALTH_PATH, calls.PATH)
_MODULES: tuple[ModuleType, ...] = (
    projects,
    jobs,
    models,
    deployments,
    registry,
    machine,
    applications,
    experiments,
)


def build(workbench: WorkbenchContext, key: str) -> FastAPI:
    """Builds the application of `workbench`, for callers who have `key`."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.workbench = workbench
    for name, operation in description()["operations"].items():
        answer = next((getattr(one, name) for one in _MODULES if hasattr(one, name)), None)
        if answer is None:
            raise LookupError(f"nothing answers the operation {name!r} of the API description")
        # Placeholders are named by the argument they become; these two may have slashes in them.
        path = re.sub(r"{[^}]+}", lambda found: found[0].replace(".", "_"), operation["path"])
        path = re.sub(r"{(path|metric_key)}", r"{\1:path}", path)
        app.add_api_route(
            path, answer, methods=[operation["verb"]], response_model_exclude_none=True
        )

    def health() -> dict[str, Any]:
        trainer = workbench.trainer
        return {"status": "ok", "no_trainer": trainer.unfit, "trainer_checked": trainer.done}

    app.add_api_route(HEALTH_PATH, health, methods=["GET"])
    packed = archive.build()
    app.add_api_route(
        CLIENT_PATH, lambda: Response(packed, media_type="application/gzip"), methods=["GET"]
    )
    app.add_api_route(LOGS_PATH, deployments.read_model_deployment_logs, methods=["GET"])

    async def call_model(request: Request) -> Response:
        model_calls = calls.ModelCalls(workbench.database, workbench.deployments, key)
        return await model_calls.answer(request)

    app.add_api_route(calls.PATH, call_model, methods=["POST"])
    app.add_middleware(BearerKey, key=key)
    api_errors.install(app)
    return app


class BearerKey:
    """Accepts a request that has the key, or that needs none.

    A workspace gives its client to everybody, because pip has no key to send.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] != "http" or scope["path"] in _OPEN:
            return await self._app(scope, receive, send)
        if keys.bears(Headers(scope=scope), self._key):
            return await self._app(scope, receive, send)
        refusal = errors.Unauthenticated("the request bears no valid API key")
        return await api_errors.error_response(refusal)(scope, receive, send)
