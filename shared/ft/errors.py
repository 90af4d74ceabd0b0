"""Exceptions of the client: one for each status code with which the studio refuses a call."""

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
"""Reason of an error of the client itself: nothing answers at the studio's address."""
CLOSED = "CLIENT_CLOSED"
"""Reason of an error of the client itself: it was closed before or during the call."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One rule that one field of a request breaks."""

    field: str
    description: str
    rule: str = ""
    """Id of the rule, such as FT-001; empty from a studio that sends none."""


class StudioError(ValueError):
    """A call that failed. `str()` of it is the studio's message, for users to read.

    `reason` is a stable word for programs, such as `NOT_FOUND` or `SERVICE_UNAVAILABLE`.
    `metadata` has the facts behind it. `violations` names every wrong field of the request.

    After UNAVAILABLE, DEADLINE_EXCEEDED and CANCELLED, the call may or may not have been served;
    after every other code it was not. A code without a subclass is a StudioError itself.
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
        # Without this, pickling keeps the message only.
        make = partial(
            type(self),
            code=self.code,
            reason=self.reason,
            violations=self.violations,
            metadata=self.metadata,
        )
        return make, self.args


class InvalidArgumentError(StudioError):
    """The request breaks rules; `violations` names each."""


class NotFoundError(StudioError):
    """There is nothing with the requested id."""


class AlreadyExistsError(StudioError):
    """The name or id is taken."""

    @property
    def holder_id(self) -> str:
        """Id of the record that has it; empty from a studio that does not report it."""
        return self.metadata.get("holder_id", "")


class FailedPreconditionError(StudioError):
    """A record or file that the request refers to is missing, or in the wrong state."""


class PermissionDeniedError(StudioError):
    """The caller may not do this."""


class UnauthenticatedError(StudioError):
    """The caller has no valid credentials."""


class ResourceExhaustedError(StudioError):
    """A limit is reached: too many calls at once, or a message that is too large."""


class AbortedError(StudioError):
    """Another call interfered. A retry may succeed."""


class UnavailableError(StudioError):
    """The studio, or a part of it that the call needs, cannot be reached."""


class DeadlineExceededError(StudioError):
    """The deadline has passed. The call may have been served."""


class CallCancelledError(StudioError):
    """The call was cancelled by one of its sides. It may have been served."""


class UnimplementedError(StudioError):
    """The studio does not support the call: it is older than the client, or not set up for it."""


class InternalError(StudioError):
    """An error of the studio itself. Details are in its log, not in the message."""


class JobFailedError(RuntimeError):
    """A job has ended in another state than SUCCEEDED.

    It is no StudioError, because the calls about the job succeeded.
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
"""Messages of gRPC servers about a method that they do not have."""


def studio_error(message: str, code: grpc.StatusCode, **facts: Any) -> StudioError:
    """The exception for a status code; `facts` are further arguments of StudioError."""
    return _TYPES.get(code, StudioError)(message, code=code, **facts)


def code_of(error: grpc.RpcError) -> grpc.StatusCode:
    """The status code of a failed call."""
    # RpcError itself has no code: the object is also a call.
    assert isinstance(error, (grpc.Call, aio.AioRpcError))
    return error.code()


def from_rpc_error(error: grpc.RpcError, method: MethodDescriptor, address: str) -> StudioError:
    """The exception for a failed call of `method` at `address`, with the details of the error."""
    assert isinstance(error, (grpc.Call, aio.AioRpcError))
    code = code_of(error)
    status = status_in(error.trailing_metadata())
    if status is None:
        return studio_error(
            _message(code, error.details() or "", method, address),
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
    """The error that nothing answers at the studio's address."""
    return studio_error(
        f"no studio answers at {address}", grpc.StatusCode.UNAVAILABLE, reason=UNREACHABLE
    )


def closed(address: str) -> StudioError:
    """The error that the client is closed."""
    return studio_error(
        f"the client of {address} is closed", grpc.StatusCode.CANCELLED, reason=CLOSED
    )


def _message(code: grpc.StatusCode, details: str, method: MethodDescriptor, address: str) -> str:
    """A message for an error of gRPC itself, whose own texts name its internals."""
    if code is grpc.StatusCode.UNAVAILABLE:
        return f"no studio answers at {address}"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"{method.name}: no answer from {address} in time"
    if code is grpc.StatusCode.UNIMPLEMENTED and details in _UNSERVED:
        service = method.containing_service.name
        return f"the studio at {address} lacks {service}.{method.name}: it is of another version"
    return details or f"{method.name}: {code.name}"


def status_in(trailers: Any) -> status_pb2.Status | None:
    """The status with details in the trailing metadata of a call; None if there is none."""
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
    """The reason and the violations of a status; each is empty if it has none."""
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        # Unpack is a no-op that returns False for a detail of another type.
        detail.Unpack(info)
        detail.Unpack(bad_request)
    return info, bad_request
