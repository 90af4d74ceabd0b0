"""Known errors are explained, with advice; all others are unforeseen."""

import errno
import logging

import grpc
import pytest
import torch
from safetensors import SafetensorError

from ft.client import StudioError
from trainer.causes import safe
from trainer.errors import ModelError, explain, is_known, kind_of
from trainer.job.run import _Formatter


def named(name: str, text: str) -> Exception:
    """An error of a class of that name, as of a library that is not imported here."""
    kind: type[Exception] = type(name, (Exception,), {})
    return kind(text)


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


PICKLE = (
    "Weights only load failed. This file can still be loaded, to do so you have two options, do "
    "those steps only if you trust the source of the checkpoint.\n\t(1) Re-running `torch.load` "
    "with `weights_only` set to `False` will likely succeed, but it can result in arbitrary code "
    "execution."
)
OWN_CODE = (
    "The repository m contains custom code which must be executed to correctly load the model. "
    "Please pass the argument `trust_remote_code=True` to allow custom code to be run."
)
CASES = [
    (MemoryError(), "OUT_OF_MEMORY", "Out of memory"),
    (torch.OutOfMemoryError("CUDA out of memory."), "OUT_OF_MEMORY", "Out of memory"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "OUT_OF_MEMORY", "Out of memory"),
    (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling"), "OUT_OF_MEMORY", "Out of memory"),
    (RuntimeError("std::bad_alloc"), "OUT_OF_MEMORY", "Out of memory"),
    (OSError(errno.ENOSPC, "No space left on device", "a.bin"), "ERROR", "disk is full (a.bin)"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), "ERROR", "disk is full"),
    (SafetensorError("I/O error: No space left on device (os error 28)"), "ERROR", "disk is full"),
    (PermissionError(errno.EACCES, "Permission denied", "x"), "USER_ERROR", "(x): grant it"),
    (OSError(errno.EROFS, "Read-only file system"), "USER_ERROR", "output_dir"),
    (FileNotFoundError(errno.ENOENT, "No such file", "y"), "USER_ERROR", "(y): restore it"),
    (OSError(errno.EMFILE, "Too many open files"), "ERROR", "ulimit"),
    (ModuleNotFoundError("No module named 'bitsandbytes'"), "USER_ERROR", "bitsandbytes"),
    (ImportError("libcudart.so: cannot open"), "USER_ERROR", "make clean env"),
    (ConnectionResetError(errno.ECONNRESET, "reset"), "ERROR", "network"),
    (named("ConnectTimeout", "timed out"), "ERROR", "network"),
    (named("LocalEntryNotFoundError", "offline"), "ERROR", "network"),
    (named("HfHubHTTPError", "503 Server Error"), "ERROR", "network"),
    (named("GatedRepoError", "401 Client Error"), "USER_ERROR", "HUGGINGFACE_ACCESS_TOKEN"),
    (named("RepositoryNotFoundError", "404 Client Error"), "USER_ERROR", "check the name"),
    (SafetensorError("Error while deserializing header: incomplete metadata"), "USER_ERROR", "cut"),
    (RuntimeError("PytorchStreamReader failed reading zip archive"), "USER_ERROR", "damaged"),
    (EOFError("Ran out of input"), "USER_ERROR", "damaged"),
    (named("UnpicklingError", PICKLE), "USER_ERROR", "safetensors"),
    (ValueError(OWN_CODE), "USER_ERROR", "code of its own"),
    (RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed"), "OUT_OF_MEMORY", "row"),
    (IndexError("index out of range in self"), "USER_ERROR", "tokenizer"),
    (RuntimeError("CUDA error: device-side assert triggered"), "USER_ERROR", "tokenizer"),
    (RuntimeError("The NVIDIA driver version is insufficient"), "USER_ERROR", "driver"),
    (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "ERROR", "nvidia-smi"),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), "USER_ERROR", "UTF-8"),
    (named("MlflowException", "API request failed"), "ERROR", "MLFLOW_TRACKING_URI"),
    (StudioError("gone", code=grpc.StatusCode.UNAVAILABLE), "ERROR", "fts status"),
    (caused(RuntimeError("failed"), MemoryError()), "OUT_OF_MEMORY", "Out of memory"),
]


@pytest.mark.parametrize(("error", "kind", "words"), CASES)
def test_cause_has_a_message_of_its_own(error: Exception, kind: str, words: str) -> None:
    told = explain(error)
    assert words in told
    assert not told.startswith("Unforeseen")
    assert "\n" not in told
    assert kind_of(error) == kind
    for unsafe in ("weights_only", "trust_remote_code", "arbitrary code"):
        assert unsafe not in told


@pytest.mark.parametrize("error", [KeyError("x"), AttributeError("no y"), RuntimeError("odd")])
def test_bug_stays_unforeseen(error: Exception) -> None:
    assert explain(error).startswith(f"Unforeseen {type(error).__name__}: ")
    assert not is_known(error)


@pytest.mark.parametrize("text", [PICKLE, OWN_CODE])
def test_advice_to_run_code_of_files_is_removed(text: str) -> None:
    first = text.splitlines()[-1].strip()
    told = explain(ModelError(f"The model m cannot be loaded: {first}"))
    assert "weights_only" not in told
    assert "trust_remote_code" not in told
    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        found = (type(error), error, error.__traceback__)
        record = logging.LogRecord("a", logging.ERROR, "b", 1, "failed", (), found)
    logged = _Formatter("%(message)s").format(record)
    assert "RuntimeError" in logged or "left out" in logged
    assert "trust_remote_code=True" not in logged
    assert "set to `False`" not in logged


def test_other_texts_stay_as_they_are() -> None:
    assert safe("a plain\nmessage") == "a plain\nmessage"
