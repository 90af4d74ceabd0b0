"""Kinds of failures, and whether a repetition may help."""

import grpc
import pytest
import torch

from ft.client import StudioError
from rows.errors import DataError
from trainer.errors import (
    ArgumentsError,
    ModelError,
    RegistrationError,
    SettingsError,
    TrainerError,
    UnsupportedError,
    kind_of,
)

REFUSED = StudioError("no", code=grpc.StatusCode.NOT_FOUND)
AWAY = StudioError("away", code=grpc.StatusCode.UNAVAILABLE)


@pytest.mark.parametrize(
    "error",
    [
        *(kind("no") for kind in (ArgumentsError, ModelError, SettingsError, UnsupportedError)),
        DataError("no"),
        REFUSED,
    ],
)
def test_user_errors_are_recognised(error: Exception) -> None:
    assert kind_of(error) == "USER_ERROR"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        ModelError("The model m cannot be loaded: CUDA out of memory."),
    ],
)
def test_out_of_memory_is_recognised(error: Exception) -> None:
    assert kind_of(error) == "OUT_OF_MEMORY"


@pytest.mark.parametrize("error", [AWAY, RuntimeError("cuDNN error"), OSError(28, "No space")])
def test_transient_errors_are_recognised(error: Exception) -> None:
    assert kind_of(error) == "ERROR"


@pytest.mark.parametrize(("cause", "kind"), [(REFUSED, "USER_ERROR"), (AWAY, "ERROR")])
def test_registration_fails_as_the_studio_answered(cause: StudioError, kind: str) -> None:
    with pytest.raises(TrainerError) as failed:
        raise RegistrationError("saved, not registered") from cause
    assert kind_of(failed.value) == kind
