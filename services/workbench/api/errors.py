"""Errors as a workspace gives them: `{"error", "code", "message", "details"}`."""

from http import HTTPStatus

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
    """The response to a request that is refused."""
    code, status = CODES[type(refusal)]
    body = {"error": refusal.message, "code": code, "message": refusal.message, "details": []}
    return JSONResponse(body, status)


def install(app: FastAPI) -> None:
    """Makes every error that leaves `app` look like a workspace's."""
    for kind in (errors.Refusal, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> JSONResponse:
    refusal: errors.Refusal
    match error:
        case errors.Refusal():
            refusal = error
        case RequestValidationError():
            found = [(one["loc"][1:] or ("body",), one["msg"]) for one in error.errors()]
            texts = [f"{'.'.join(map(str, field))}: {message}" for field, message in found]
            refusal = errors.InvalidArgument("; ".join(texts))
        case HTTPException(status_code=HTTPStatus.METHOD_NOT_ALLOWED):
            refusal = errors.Unimplemented(f"{request.method}: no such operation here")
        case HTTPException(status_code=HTTPStatus.NOT_FOUND):
            refusal = errors.NotFound(f"{request.url.path}: no such operation")
        case HTTPException():
            refusal = errors.InvalidArgument(str(error.detail))
        case _:
            log.error("a request failed", path=request.url.path, exc_info=error)
            refusal = errors.Internal("the workbench failed; its log says why")
    return error_response(refusal)
