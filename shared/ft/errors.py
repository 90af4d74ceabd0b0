"""What the client raises: one exception for each code with which the studio refuses a call."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from ft.proto.fine_tuning_studio_jobs_pb2 import ExportJobMetadata
from ft.proto.fine_tuning_studio_pb2 import EvaluationJobMetadata, FineTuningJobMetadata

DETAILS_TRAILER = "grpc-status-details-bin"
UNREACHABLE = "STUDIO_UNREACHABLE"
"""Reason of an error that is the client's own: nobody answers at the studio's address."""
CLOSED = "CLIENT_CLOSED"
"""Reason of an error that is the client's own: it was closed before or during the call."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One rule that one field of a request breaks."""

    field: str
    description: str
    rule: str = ""
    """Id of the rule, such as FT-001; empty from a studio that sends none."""


class StudioError(ValueError):
    """A call that failed. `str()` of it is the studio's message, fit to be shown to a user.

    `reason` is a stable word for programs, such as `NOT_FOUND` or `SERVICE_UNAVAILABLE`;
    `metadata` are the facts behind it; `violations` names every field that is wrong, where the
    request itself was the mistake.

    UNAVAILABLE, DEADLINE_EXCEEDED and CANCELLED leave open whether the call was served; every
    other code means that it was not. A code that has no subclass is a StudioError itself.
    """

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode,
        reason: str = "",
        violations: tuple[FieldViolation, ...] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason or code.name
        self.violations = violations
        self.metadata = dict(metadata or {})

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is otherwise made again of its message alone, in the process it is sent to.
        make = partial(
            type(self),
            code=self.code,
            reason=self.reason,
            violations=self.violations,
            metadata=self.metadata,
        )
        return make, self.args


class InvalidArgumentError(StudioError):
    """The request breaks rules by itself; `violations` names each."""


class NotFoundError(StudioError):
    """What was asked for by its id does not exist."""


class AlreadyExistsError(StudioError):
    """The name or id is taken."""

    @property
    def holder_id(self) -> str:
        """Id of what has it; empty from a studio that does not say."""
        return self.metadata.get("holder_id", "")


class FailedPreconditionError(StudioError):
    """Something that the request refers to is missing or not in a fit state."""


class PermissionDeniedError(StudioError):
    """The caller may not do this."""


class UnauthenticatedError(StudioError):
    """The caller did not say who it is, or not convincingly."""


class ResourceExhaustedError(StudioError):
    """A limit is reached: too many calls at once, or a message that is too large."""


class AbortedError(StudioError):
    """Another call got in between; trying again may succeed."""


class UnavailableError(StudioError):
    """The studio, or a part of it that is needed, is away for now."""


class DeadlineExceededError(StudioError):
    """There was not enough time; whether the call was served is not known."""


class CallCancelledError(StudioError):
    """The call was ended from one of its sides; whether it was served is not known."""


class UnimplementedError(StudioError):
    """The studio cannot do this, because it is older than the client or not set up for it."""


class InternalError(StudioError):
    """A fault of the studio's own. Details are in its log, not in the message."""


class JobFailedError(RuntimeError):
    """A job that was waited for has ended otherwise than SUCCEEDED.

    It is no StudioError: every call about the job was answered.
    """

    def __init__(
        self, job: FineTuningJobMetadata | EvaluationJobMetadata | ExportJobMetadata
    ) -> None:
        self.job = job
        self.state = job.status.state
        self.failure_reason = job.status.failure_reason
        why = self.failure_reason or "no reason is known"
        super().__init__(f"job {job.id} has ended {self.state}: {why}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.job,)


_TYPES: dict[grpc.StatusCode, type[StudioError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgumentError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExistsError,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPreconditionError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    grpc.StatusCode.ABORTED: AbortedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.CANCELLED: CallCancelledError,
    grpc.StatusCode.UNIMPLEMENTED: UnimplementedError,
    grpc.StatusCode.INTERNAL: InternalError,
}
_UNSERVED = ("", "Method not found!", "Method not implemented!")
"""What gRPC's servers say of a method that they do not have."""


def studio_error(message: str, code: grpc.StatusCode, **facts: Any) -> StudioError:
    """The exception for that code; `facts` are further arguments of StudioError."""
    return _TYPES.get(code, StudioError)(message, code=code, **facts)


def code_of(error: grpc.RpcError) -> grpc.StatusCode:
    """The status code of a call that was sent and failed."""
    # The class itself has none: a call that failed is an error and a call at once.
    assert isinstance(error, (grpc.Call, aio.AioRpcError))
    return error.code()


def from_rpc_error(error: grpc.RpcError, method: MethodDescriptor, address: str) -> StudioError:
    """The error of a call of `method` at `address`, with the details that came along."""
    assert isinstance(error, (grpc.Call, aio.AioRpcError))
    code = code_of(error)
    status = status_in(error.trailing_metadata())
    if status is None:
        return studio_error(
            _own_words(code, error.details() or "", method, address),
            code,
            reason=UNREACHABLE if code is grpc.StatusCode.UNAVAILABLE else "",
        )
    info, bad_request = details_of(status)
    return studio_error(
        status.message,
        code,
        reason=info.reason,
        violations=tuple(
            FieldViolation(v.field, v.description, v.reason) for v in bad_request.field_violations
        ),
        metadata=info.metadata,
    )


def unreachable(address: str) -> StudioError:
    """Nobody answers at the studio's address."""
    return studio_error(
        f"no studio answers at {address}", grpc.StatusCode.UNAVAILABLE, reason=UNREACHABLE
    )


def closed(address: str) -> StudioError:
    """The client of the studio at that address is closed."""
    return studio_error(
        f"the client of {address} is closed", grpc.StatusCode.CANCELLED, reason=CLOSED
    )


def _own_words(code: grpc.StatusCode, details: str, method: MethodDescriptor, address: str) -> str:
    """What to say where no server of the studio's said it: gRPC's own texts name its internals."""
    if code is grpc.StatusCode.UNAVAILABLE:
        return f"no studio answers at {address}"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"{method.name}: no answer from {address} in time"
    if code is grpc.StatusCode.UNIMPLEMENTED and details in _UNSERVED:
        service = method.containing_service.name
        return f"the studio at {address} lacks {service}.{method.name}: it is of another version"
    return details or f"{method.name}: {code.name}"


def status_in(trailers: Any) -> status_pb2.Status | None:
    """The status with details that a call's trailing metadata carry; None if there is none."""
    for key, value in trailers or ():
        if key == DETAILS_TRAILER and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                return None
    return None


def details_of(
    status: status_pb2.Status,
) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
    """The status's reason and its violations, empty where it has none."""
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        # Unpack is a no-op that returns False for a detail of another type.
        detail.Unpack(info)
        detail.Unpack(bad_request)
    return info, bad_request
