"""What the client raises when the studio refuses a call or cannot be reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

DETAILS_TRAILER = "grpc-status-details-bin"
UNREACHABLE = "STUDIO_UNREACHABLE"
"""Reason of an error that is the client's own: nobody answers at the studio's address."""


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
    other code means that it was not.
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


def from_rpc_error(error: grpc.RpcError, method: str, address: str) -> StudioError:
    """The error of a call of `method` at `address`, with the details that came along."""
    assert isinstance(error, grpc.Call)  # every error of a call that was sent is one
    code = error.code()
    status = status_in(error.trailing_metadata())
    if status is None:
        return StudioError(
            _own_words(code, error.details() or "", method, address),
            code=code,
            reason=UNREACHABLE if code is grpc.StatusCode.UNAVAILABLE else "",
        )
    info, bad_request = details_of(status)
    return StudioError(
        status.message,
        code=code,
        reason=info.reason,
        violations=tuple(
            FieldViolation(v.field, v.description, v.reason) for v in bad_request.field_violations
        ),
        metadata=info.metadata,
    )


def unreachable(address: str) -> StudioError:
    """Nobody answers at the studio's address."""
    return StudioError(
        f"no studio answers at {address}", code=grpc.StatusCode.UNAVAILABLE, reason=UNREACHABLE
    )


def _own_words(code: grpc.StatusCode, details: str, method: str, address: str) -> str:
    """What to say where no server of the studio's said it: gRPC's own texts name its internals."""
    if code is grpc.StatusCode.UNAVAILABLE:
        return f"no studio answers at {address}"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"{method}: no answer from {address} in time"
    return details or f"{method}: {code.name}"


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
