"""The HTTP application: a route for each operation of the API description."""

import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

from fastapi import FastAPI, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.rpc import errors
from services.workbench import client_package, http_errors, keys
from services.workbench.description import description
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
from services.workbench.workbench import Workbench

CLIENT_PATH = f"/api/v2/{client_package.FILE_NAME}"
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


def build(workbench: Workbench, key: str) -> FastAPI:
    """The application of `workbench`, open to whoever bears `key`."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.workbench = workbench
    for name, operation in description()["operations"].items():
        app.add_api_route(
            _route(operation["path"]),
            _handler(name),
            methods=[operation["verb"]],
            response_model_exclude_none=True,
        )
    app.add_api_route(HEALTH_PATH, lambda: _health(workbench), methods=["GET"])
    packed = client_package.archive()
    app.add_api_route(
        CLIENT_PATH, lambda: Response(packed, media_type="application/gzip"), methods=["GET"]
    )
    app.add_api_route(LOGS_PATH, deployments.read_model_deployment_logs, methods=["GET"])
    model_calls = calls.ModelCalls(workbench, key)
    app.add_api_route(calls.PATH, model_calls.answer, methods=["POST"])
    app.add_middleware(BearerKey, key=key)
    http_errors.install(app)
    return app


def _handler(operation: str) -> Callable[..., Any]:
    for module in _MODULES:
        if (handler := getattr(module, operation, None)) is not None:
            found: Callable[..., Any] = handler
            return found
    raise LookupError(f"nothing answers the operation {operation!r} of the API description")


def _route(path: str) -> str:
    # Placeholders are named by the argument they become; these two may have slashes in them.
    path = re.sub(r"{[^}]+}", lambda match: match[0].replace(".", "_"), path)
    return re.sub(r"{(path|metric_key)}", r"{\1:path}", path)


def _health(workbench: Workbench) -> dict[str, Any]:
    trainer = workbench.trainer
    return {"status": "ok", "no_trainer": trainer.unfit, "trainer_checked": trainer.done}


class BearerKey:
    """Lets a request pass that bears the key, or that needs none.

    A workspace gives its client to anyone, since pip has no key to show.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] in _OPEN:
            return await self._app(scope, receive, send)
        if keys.bears(Headers(scope=scope), self._key):
            return await self._app(scope, receive, send)
        refusal = errors.Unauthenticated("the request bears no valid API key")
        return await http_errors.error_response(refusal)(scope, receive, send)
