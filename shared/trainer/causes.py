"""What users meet in a job beside faults of the studio's own, each in words with what to do.

An error is known by its class's name or by a part of its text, since the libraries that raise it
are not imported to tell. What is not known here is unforeseen.
"""

import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ft.enums import FailureKind
from ft.job_protocol.variables import HUB_TOKEN

_USER, _ERROR, _MEMORY = FailureKind.USER_ERROR, FailureKind.ERROR, FailureKind.OUT_OF_MEMORY


@dataclass(frozen=True)
class Cause:
    """What an error means for the user."""

    kind: FailureKind
    words: str
    """With what to do; `{line}` stands for the first line of the error, `{file}` for its file."""


@dataclass(frozen=True)
class _Known:
    pattern: str
    """Of the error's class and text, `Class: text`, in any case."""
    cause: Cause


_ENVIRONMENT = "`make clean env` makes the environment of the jobs anew"
_OUT_OF_MEMORY = Cause(
    _MEMORY,
    "Out of memory: use a smaller per_device_train_batch_size or max_length, a quantised base "
    "model, or ask for more memory.",
)
_DISK_FULL = Cause(
    _ERROR,
    "The disk is full{file}: make room in the project's outputs, or where the hub's files are "
    "kept, and resume the job.",
)
_NO_NETWORK = Cause(
    _ERROR,
    "The hub, or another server, cannot be reached ({line}): look at the network, or register "
    "files of the project in place of hub names, and resume the job.",
)
_NOT_ON_HUB = Cause(
    _USER,
    "The hub does not give what is asked for ({line}): look at the name, ask for access if it is "
    f"gated, and start the studio with {HUB_TOKEN} set to a token that may read it.",
)
_DAMAGED = Cause(
    _USER,
    "A file of the model or of a checkpoint is damaged or cut off ({line}): fetch or copy it "
    "again.",
)
_PICKLE = Cause(
    _USER,
    "A file holds more than weights, which could run code when it is loaded, and is not loaded: "
    "use the model's safetensors files.",
)
_OWN_CODE = Cause(
    _USER,
    "The model or data set needs code of its own, which the studio does not run: use one of an "
    "architecture that the installed transformers knows.",
)
_KNOWN = (
    _Known(
        r"^MemoryError|out of memory|can't allocate memory|cannot allocate memory|"
        r"unable to allocate|CUBLAS_STATUS_ALLOC_FAILED|bad_alloc",
        _OUT_OF_MEMORY,
    ),
    _Known(r"no space left on device|disk quota exceeded|file write failed", _DISK_FULL),
    _Known(r"weights_only|weights only load failed|UnpicklingError|allow_pickle", _PICKLE),
    _Known(r"trust_remote_code|custom code which must be executed|loading script", _OWN_CODE),
    _Known(
        r"^(GatedRepoError|RepositoryNotFoundError|RevisionNotFoundError|EntryNotFoundError|"
        r"DatasetNotFoundError|RemoteEntryNotFoundError)|\b40[134] client error|is a gated repo|"
        r"is not a local folder and is not a valid model identifier",
        _NOT_ON_HUB,
    ),
    _Known(
        r"^(ConnectionError|ConnectTimeout|ConnectError|ReadTimeout|ProxyError|SSLError|"
        r"LocalEntryNotFoundError|OfflineModeIsEnabled|HfHubHTTPError|MaxRetryError|gaierror|"
        r"ConnectionResetError|ConnectionRefusedError|RemoteProtocolError|ReadError)|"
        r"name resolution|name or service not known|couldn't connect to|offline mode is enabled|"
        r"\b5\d\d server error",
        _NO_NETWORK,
    ),
    _Known(
        r"^(SafetensorError|BadZipFile)|PytorchStreamReader failed|incomplete metadata|"
        r"MetadataIncompleteBuffer|HeaderTooLarge|InvalidHeader|^EOFError|"
        r"invalid load key|not in gzip format|unexpected end of (file|data)",
        _DAMAGED,
    ),
    _Known(
        r"DataLoader worker.*(killed|exited)|bus error|shared memory",
        Cause(
            _MEMORY,
            "A process that loads rows was ended, most often for want of memory: set "
            "dataloader_num_workers to 0, or ask for more memory.",
        ),
    ),
    _Known(
        r"device-side assert|index out of range in self|indexSelectSmallIndex",
        Cause(
            _USER,
            "A token is beyond the model's embeddings: the tokenizer is not that of the base "
            "model. Register the model with its own tokenizer files.",
        ),
    ),
    _Known(
        r"driver version is insufficient|no kernel image is available|not compiled with CUDA|"
        r"found no NVIDIA driver",
        Cause(
            _USER,
            "The GPU's driver and the installed torch do not fit each other ({line}): update the "
            "driver, or install a torch that is made for it (FTS_TORCH_INDEX_URL).",
        ),
    ),
    _Known(
        r"CUDA error|cuDNN|cublas|NCCL|CUDA driver",
        Cause(
            _ERROR,
            "The GPU has failed ({line}): resume the job; if it happens again, look at "
            "`nvidia-smi`.",
        ),
    ),
    _Known(
        r"^(UnicodeDecodeError|UnicodeEncodeError)",
        Cause(_USER, "A text is not in UTF-8 ({line}): save the file in UTF-8."),
    ),
    _Known(
        r"^(ModuleNotFoundError|ImportError|PackageNotFoundError)",
        Cause(
            _USER,
            "A package cannot be imported in the environment of the jobs ({line}): choose "
            f"settings that do without it, or install it there; {_ENVIRONMENT}.",
        ),
    ),
    _Known(
        r"^(MlflowException|RestException)",
        Cause(
            _ERROR,
            "MLflow's tracking store does not take what it is given ({line}): look at "
            "MLFLOW_TRACKING_URI, or set report_to to none.",
        ),
    ),
    _Known(
        r"^(BrokenProcessPool|ProcessRaisedException|ProcessExitedException|CalledProcessError)",
        Cause(_ERROR, "A process of the job was ended ({line}): see its log, and resume the job."),
    ),
    _Known(
        r"^(TimeoutError|TimeoutExpired|BrokenPipeError|ConnectionAbortedError)",
        Cause(_ERROR, "A connection was lost, or an answer did not come ({line}): resume the job."),
    ),
)
_OF_ERRNO = {
    errno.ENOSPC: _DISK_FULL,
    errno.EDQUOT: _DISK_FULL,
    errno.ENOMEM: _OUT_OF_MEMORY,
    errno.EACCES: Cause(_USER, "What the job needs may not be read or written{file}: allow it."),
    errno.EPERM: Cause(_USER, "What the job needs may not be read or written{file}: allow it."),
    errno.EROFS: Cause(_USER, "A folder cannot be written to{file}: choose another output_dir."),
    errno.ENOENT: Cause(_USER, "A file is not there, or is gone{file}: put it back."),
    errno.ENOTDIR: Cause(_USER, "A folder is not there{file}: put it back."),
    errno.EISDIR: Cause(_USER, "A folder lies where a file is expected{file}: move it away."),
    errno.EMFILE: Cause(_ERROR, "Too many files are open{file}: raise the limit (`ulimit -n`)."),
    errno.EIO: Cause(_ERROR, "The disk has failed{file}: look at it, and resume the job."),
    errno.ESTALE: Cause(_ERROR, "The network's file system was lost{file}: resume the job."),
}
_UNSAFE = re.compile(
    # The studio's own refusal of the setting is no advice.
    r"weights_only|trust_remote_code(?! must be false)|allow_pickle|allow_dangerous|arbitrary code",
    re.IGNORECASE,
)
NOT_SHOWN = "(a library's advice to run code from files is left out)"


def cause_of(error: BaseException) -> Cause | None:
    """What an error, or one that it came of, means for the user; None if that is not known."""
    for one in _chain(error):
        number = getattr(one, "errno", None) if isinstance(one, OSError) else None
        if number in _OF_ERRNO:
            return _filled(_OF_ERRNO[number], one)
        text = f"{type(one).__name__}: {one}"
        for known in _KNOWN:
            if re.search(known.pattern, text, re.IGNORECASE):
                return _filled(known.cause, one)
    return None


def is_of_memory(error: BaseException) -> bool:
    """Whether memory has run out."""
    cause = cause_of(error)
    return cause is not None and cause.kind == FailureKind.OUT_OF_MEMORY


def safe(text: str) -> str:
    """The text without lines that advise to load pickles, or to run code that comes with files."""
    if not _UNSAFE.search(text):
        return text
    lines = [NOT_SHOWN if _UNSAFE.search(line) else line for line in text.split("\n")]
    return "\n".join(lines)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__


def _filled(cause: Cause, error: BaseException) -> Cause:
    file = getattr(error, "filename", None)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    line = safe(lines[0]) if lines else type(error).__name__
    words = cause.words.replace("{file}", f" ({file})" if file else "")
    return Cause(cause.kind, words.replace("{line}", line[:300]))
