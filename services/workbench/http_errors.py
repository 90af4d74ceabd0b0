"""Errors as a workspace gives them: `{"error", "code", "message", "details"}`."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from chassis.rpc import errors

log = structlog.get_logger()

# gRPC code number and HTTP status; the same pairs that a gRPC gateway uses.
CODES: dict[type[errors.Refusal], tuple[int, HTTPStatus]] = {
    errors.InvalidArgument: (3, HTTPStatus.BAD_REQUEST),
    errors.DeadlineExceeded: (4, HTTPStatus.GATEWAY_TIMEOUT),
    errors.NotFound: (5, HTTPStatus.NOT_FOUND),
    errors.AlreadyExists: (6, HTTPStatus.CONFLICT),
    errors.PermissionDenied: (7, HTTPStatus.FORBIDDEN),
    errors.ResourceExhausted: (8, HTTPStatus.TOO_MANY_REQUESTS),
    errors.FailedPrecondition: (9, HTTPStatus.BAD_REQUEST),
    errors.Aborted: (10, HTTPStatus.CONFLICT),
    errors.Unimplemented: (12, HTTPStatus.NOT_IMPLEMENTED),
    errors.Internal: (13, HTTPStatus.INTERNAL_SERVER_ERROR),
    errors.Unavailable: (14, HTTPStatus.SERVICE_UNAVAILABLE),
    errors.Unauthenticated: (16, HTTPStatus.UNAUTHORIZED),
}


def error_response(refusal: errors.Refusal) -> JSONResponse:
    """The answer that tells a caller of `refusal`."""
    code, status = CODES[type(refusal)]
    body = {"error": refusal.message, "code": code, "message": refusal.message, "details": []}
    return JSONResponse(body, status)


def install(app: FastAPI) -> None:
    """Make every error that leaves `app` look like a workspace's."""
    for kind, handler in (
        (errors.Refusal, _refused),
        (RequestValidationError, _malformed),
        (HTTPException, _not_routed),
        (Exception, _unforeseen),
    ):
        app.add_exception_handler(kind, handler)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.Refusal)
    return error_response(error)


async def _malformed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return error_response(errors.InvalidArgument("; ".join(map(_violation, error.errors()))))


def _violation(found: Any) -> str:
    field = ".".join(str(part) for part in found["loc"][1:]) or "body"
    return f"{field}: {found['msg']}"


async def _not_routed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return error_response(errors.Unimplemented(f"{request.method}: no such operation here"))
    if error.status_code == HTTPStatus.NOT_FOUND:
        return error_response(errors.NotFound(f"{request.url.path}: no such operation"))
    return error_response(errors.InvalidArgument(str(error.detail)))


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    log.error("a request failed", path=request.url.path, exc_info=error)
    return error_response(errors.Internal("the workbench failed; its log says why"))
