"""Typed errors to gRPC status and back: one table, one translator.

The status carries `google.rpc.ErrorInfo` (reason, domain, metadata) and, for bad input,
`google.rpc.BadRequest`, in the standard `grpc-status-details-bin` trailer, see
https://google.aip.dev/193.
"""

from collections.abc import Sequence
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from chassis.rpc import errors
from ft.errors import DETAILS_TRAILER, details_of, status_in

ERROR_DOMAIN = "fine-tuning-studio"
NO_RETRY = ("grpc-retry-pushback-ms", "-1")
"""Tells gRPC on the other side not to repeat the call by itself.

A refusal is an answer: what had to be waited for was waited for. Without this, UNAVAILABLE would be
asked for again four times by each hop, sixty-four times behind the facade.
"""

STATUS_CODES: dict[type[errors.Refusal], grpc.StatusCode] = {
    errors.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Unimplemented: grpc.StatusCode.UNIMPLEMENTED,
    errors.Internal: grpc.StatusCode.INTERNAL,
}
MESSAGE_BYTES, VIOLATIONS_BYTES, TEXT_BYTES, FIELD_BYTES = 1_000, 1_000, 300, 100
"""How much is sent of an error's message, of its violations, and of each text and each name of a
field in its details; every field of the contract has a shorter name. A status travels in HTTP/2
trailers, of which gRPC takes 8 KiB: of a larger one nothing arrives. The message is there twice,
and once with three bytes for each that is not ASCII."""
_CUT = " ... "
_TYPES = {code: kind for kind, code in STATUS_CODES.items()}


def to_status(error: errors.Refusal) -> status_pb2.Status:
    """Returns the error as a `google.rpc.Status` with details, shortened to what can be sent."""
    facts = {key: brief(value, TEXT_BYTES) for key, value in error.metadata.items()}
    info = error_details_pb2.ErrorInfo(
        reason=error.code_reason, domain=ERROR_DOMAIN, metadata=facts
    )
    details = [_packed(info)]
    if error.violations:
        details.append(_packed(_bad_request(error.violations)))
    code: int = STATUS_CODES[type(error)].value[0]
    return status_pb2.Status(code=code, message=brief(error.message), details=details)


def brief(text: str, size: int = MESSAGE_BYTES) -> str:
    """Returns the text, without its middle if it has more than `size` bytes."""
    data = text.encode(errors="backslashreplace")
    if len(data) <= size:
        return data.decode()
    half = (size - len(_CUT)) // 2
    # Half a character at either edge of the cut is left out.
    return f"{data[:half].decode(errors='ignore')}{_CUT}{data[-half:].decode(errors='ignore')}"


def _bad_request(violations: Sequence[errors.Violation]) -> error_details_pb2.BadRequest:
    bad_request = error_details_pb2.BadRequest()
    for number, violation in enumerate(violations):
        left = len(violations) - number
        # The last is always sent: it may be what a service behind this one has cut down to.
        if left > 1 and bad_request.ByteSize() > VIOLATIONS_BYTES:
            more = f"and {left} more"
            bad_request.field_violations.add(
                field=brief(violation.field, FIELD_BYTES), description=more
            )
            break
        bad_request.field_violations.add(
            field=brief(violation.field, FIELD_BYTES),
            description=brief(violation.description, TEXT_BYTES),
            reason=violation.rule,
        )
    return bad_request


async def abort(context: "aio.ServicerContext[Any, Any]", error: errors.Refusal) -> NoReturn:
    """Ends the call with the error's status."""
    await context.abort(
        STATUS_CODES[type(error)],
        brief(error.message),
        ((DETAILS_TRAILER, to_status(error).SerializeToString()), NO_RETRY),
    )


async def pass_on(
    context: "aio.ServicerContext[Any, Any]", error: aio.AioRpcError, peer: str
) -> NoReturn:
    """Ends the call with a peer's error unchanged; translates it first if it has no details."""
    details = status_in(error.trailing_metadata())
    if details is None:
        await abort(context, from_rpc_error(error, peer))
    await context.abort(
        error.code(),
        error.details() or "",
        ((DETAILS_TRAILER, details.SerializeToString()), NO_RETRY),
    )


def from_rpc_error(error: aio.AioRpcError, peer: str) -> errors.Refusal:
    """Translates a peer's error into a refusal.

    A peer that cannot be reached is named in the message and in the metadata under `service`.
    An answer without our own details is passed on with its code and message.
    """
    code = error.code()
    message = error.details() or code.name
    status = status_in(error.trailing_metadata())
    if status is None and code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        # Cancelled not by us, or we would not be here: the peer is going down.
        return away(peer)
    if status is None and code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.DeadlineExceeded(
            f"service {peer!r} did not answer within the deadline", service=peer
        )
    kind = _TYPES.get(code, errors.Internal)
    info, bad_request = details_of(status or status_pb2.Status())
    return kind(
        message,
        violations=[
            errors.Violation(v.field, v.description, v.reason) for v in bad_request.field_violations
        ],
        reason=info.reason or None,
        **info.metadata,
    )


def away(peer: str) -> errors.Unavailable:
    """Makes the refusal for a service that does not answer."""
    return errors.Unavailable(
        f"service {peer!r} is not available", reason="SERVICE_UNAVAILABLE", service=peer
    )


def _packed(message: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
