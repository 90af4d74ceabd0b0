"""The common address of all models: `POST /model` finds the deployment by the model's access
key."""

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import select

from services.workbench.api import keys
from services.workbench.engine import states
from services.workbench.serving import served
from services.workbench.serving.deployments import Deployments
from services.workbench.store.database import Database
from services.workbench.store.tables import ModelDeploymentRow, ModelRow

PATH = "/model"
MAX_BODY_BYTES = served.MAX_REQUEST_BYTES
CALL_SECONDS = 600.0
"""Timeout of a call."""
_NO_ANSWER = (OSError, EOFError, ValueError, LookupError, asyncio.LimitOverrunError)
"""Errors of a connection that is closed, or of a port that another program uses now."""


class CallRefused(Exception):
    """A call that is not forwarded, or was not answered, with its HTTP status."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Target:
    """The process that answers for a model."""

    port: int
    token: str


class ModelCalls:
    """Answers calls of models, like the model service of a workspace."""

    def __init__(self, database: Database, deployments: Deployments, key: str) -> None:
        self._database = database
        self._deployments = deployments
        self._key = key

    async def answer(self, request: Request) -> Response:
        """Forwards a call.

        The request is `{"accessKey", "request"}`, the answer `{"success", "response"}` or
        `{"success", "errors"}`.
        """
        try:
            body = await _read_body(request)
            target = self._target(body["accessKey"], keys.bears(request.headers, self._key))
            async with asyncio.timeout(CALL_SECONDS):
                status, content = await _exchange(target, _to_json(body["request"]))
            return Response(content, status, media_type="application/json")
        except CallRefused as refusal:
            return _refused(refusal.status, str(refusal))
        except TimeoutError:
            message = f"no answer within {CALL_SECONDS:g} s"
            return _refused(HTTPStatus.GATEWAY_TIMEOUT, message)

    def _target(self, access_key: str, bears_key: bool) -> Target:
        """The process that answers for the model with that access key. Raises CallRefused."""
        of_key = select(ModelRow).where(ModelRow.access_key == access_key)
        model = self._database.read(lambda session: session.scalar(of_key))
        if model is None:
            raise CallRefused(HTTPStatus.NOT_FOUND, "accessKey: no model has this access key")
        if model.auth_enabled and not bears_key:
            raise CallRefused(
                HTTPStatus.UNAUTHORIZED, "the request bears no valid API key (Authorization)"
            )
        # The newest deployment that serves, else the newest of all.
        newest = (
            select(ModelDeploymentRow)
            .where(ModelDeploymentRow.model_id == model.id)
            .order_by(
                (ModelDeploymentRow.status == states.DEPLOYED).desc(),
                ModelDeploymentRow.seq.desc(),
            )
            .limit(1)
        )
        row = self._database.read(lambda session: session.scalar(newest))
        if row is None or row.status != states.DEPLOYED:
            state = row.status if row else "without a deployment"
            raise CallRefused(HTTPStatus.SERVICE_UNAVAILABLE, f"the model is {state}")
        ready = self._deployments.folder(row).read(served.READY)
        if ready is None:
            raise CallRefused(HTTPStatus.SERVICE_UNAVAILABLE, "the model is starting again")
        return Target(ready["port"], keys.of_deployment(self._key, row.id))


async def _read_body(request: Request) -> dict[str, Any]:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MAX_BODY_BYTES:
            raise CallRefused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body exceeds {MAX_BODY_BYTES} bytes"
            )
    try:
        body = json.loads(content)
        _to_json(body)
    except (ValueError, RecursionError) as error:
        raise CallRefused(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("accessKey"), str):
        raise CallRefused(HTTPStatus.BAD_REQUEST, "accessKey: must be given, as a string")
    if "request" not in body:
        raise CallRefused(HTTPStatus.BAD_REQUEST, "request: must be given")
    return body


def _to_json(value: Any) -> bytes:
    """Compact JSON, so that the size limits are the same everywhere. Raises ValueError for half of
    a surrogate pair."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


async def _exchange(target: Target, content: bytes) -> tuple[int, bytes]:
    """Sends one HTTP request to the process, over its own connection.

    Raises CallRefused if there is no complete answer.
    """
    head = (
        "POST / HTTP/1.0\r\n"
        f"Authorization: Bearer {target.token}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        try:
            writer.write(head.encode() + content)
            head_of_answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            _, _, size = head_of_answer.partition("content-length:")
            status = int(head_of_answer.split(maxsplit=2)[1])
            return status, await reader.readexactly(int(size.split()[0]))
        finally:
            writer.close()
    except _NO_ANSWER:
        message = "the model's process ended before it answered"
        raise CallRefused(HTTPStatus.BAD_GATEWAY, message) from None


def _refused(status: HTTPStatus, message: str) -> JSONResponse:
    return JSONResponse({"success": False, "errors": [message]}, status)
