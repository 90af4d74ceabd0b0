"""What a refused call raises."""

import asyncio
import builtins
import pickle
import sys
from typing import Any

import grpc
import pytest

from ft import api, errors
from ft import client as exported
from ft.errors import FieldViolation, JobFailedError, StudioError

TYPES = {
    "INVALID_ARGUMENT": exported.InvalidArgumentError,
    "NOT_FOUND": exported.NotFoundError,
    "ALREADY_EXISTS": exported.AlreadyExistsError,
    "FAILED_PRECONDITION": exported.FailedPreconditionError,
    "PERMISSION_DENIED": exported.PermissionDeniedError,
    "UNAUTHENTICATED": exported.UnauthenticatedError,
    "RESOURCE_EXHAUSTED": exported.ResourceExhaustedError,
    "ABORTED": exported.AbortedError,
    "UNAVAILABLE": exported.UnavailableError,
    "DEADLINE_EXCEEDED": exported.DeadlineExceededError,
    "CANCELLED": exported.CallCancelledError,
    "UNIMPLEMENTED": exported.UnimplementedError,
    "INTERNAL": exported.InternalError,
}
OTHERS = [code for code in grpc.StatusCode if code.name not in {*TYPES, "OK"}]


def refusing(studio: Any, code: grpc.StatusCode, **facts: Any) -> None:
    """Has every call end as a service of the studio ends it."""
    refuse = sys.modules[studio.__module__].refuse
    studio.before = lambda method, context: refuse(context, code, "no", "WHY", **facts)


@pytest.mark.parametrize("name", TYPES)
def test_codes_have_exceptions_of_their_own(client: Any, studio: Any, name: str) -> None:
    code = grpc.StatusCode[name]
    refusing(studio, code, service="models")
    with pytest.raises(StudioError) as caught:
        client.AddModel(api.AddModelRequest())
    error = caught.value
    assert type(error) is TYPES[name]
    assert (error.code, str(error), error.reason) == (code, "no", "WHY")
    assert error.metadata == {"service": "models"}
    assert isinstance(error, ValueError)
    assert error.__suppress_context__, "gRPC's own exception is not shown above it"


@pytest.mark.parametrize("code", OTHERS, ids=lambda code: code.name)
def test_code_without_an_exception_is_a_studio_error(
    client: Any, studio: Any, code: grpc.StatusCode
) -> None:
    refusing(studio, code)
    with pytest.raises(StudioError) as caught:
        client.AddModel(api.AddModelRequest())
    assert type(caught.value) is StudioError
    assert caught.value.code is code


def test_exception_names_hide_no_builtin() -> None:
    for name in exported.__all__:
        assert not hasattr(builtins, name)
        assert not hasattr(asyncio, name)


def test_owner_of_a_taken_name_is_known(client: Any, studio: Any) -> None:
    refusing(studio, grpc.StatusCode.ALREADY_EXISTS, field="name", holder_id="m-7")
    with pytest.raises(exported.AlreadyExistsError) as caught:
        client.AddModel(api.AddModelRequest())
    assert caught.value.holder_id == "m-7"
    assert exported.AlreadyExistsError("x", code=grpc.StatusCode.ALREADY_EXISTS).holder_id == ""


def test_violations_are_data(client: Any, studio: Any) -> None:
    found = {"name": "is required", "location": "must exist"}
    refusing(studio, grpc.StatusCode.FAILED_PRECONDITION, violations=found)
    with pytest.raises(exported.FailedPreconditionError) as caught:
        client.AddModel(api.AddModelRequest())
    assert caught.value.violations == (
        FieldViolation("name", "is required", "FT-name"),
        FieldViolation("location", "must exist", "FT-location"),
    )


def test_error_survives_the_way_to_another_process() -> None:
    error = errors.studio_error(
        "name: taken",
        grpc.StatusCode.ALREADY_EXISTS,
        reason="NAME_TAKEN",
        violations=(FieldViolation("name", "taken", "FT-013"),),
        metadata={"holder_id": "7"},
    )
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is exported.AlreadyExistsError
    assert (str(again), vars(again)) == (str(error), vars(error))
    job = api.FineTuningJobMetadata(id="j", status=api.JobStatus(state="FAILED"))
    assert pickle.loads(pickle.dumps(JobFailedError(job))).job == job
