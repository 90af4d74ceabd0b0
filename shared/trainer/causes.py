"""Known causes of failed jobs, each with its explanation for the user and advice.

An error is recognised by the name of its class or by its text, because the libraries that raise it
are not imported here. Any other error is unforeseen.
"""

import errno
import re
from dataclasses import dataclass

from ft.enums import FailureKind
from ft.job_protocol.variables import HUB_TOKEN

_USER, _ERROR, _MEMORY = FailureKind.USER_ERROR, FailureKind.ERROR, FailureKind.OUT_OF_MEMORY


@dataclass(frozen=True)
class Cause:
    """Explanation of an error for the user."""

    kind: FailureKind
    words: str
    """Fault and advice; `{line}` stands for the first line of the error, `{file}` for its file."""


@dataclass(frozen=True)
class _ErrorRule:
    pattern: str
    """Regular expression for `Class: text` of the error; case does not count."""
    cause: Cause


_ENVIRONMENT = "`make clean env` makes the environment of the jobs anew"
_OUT_OF_MEMORY = Cause(
    _MEMORY,
    "Out of memory: use a smaller per_device_train_batch_size or max_length, a quantised base "
    "model, or ask for more memory.",
)
_DISK_FULL = Cause(
    _ERROR,
    "The disk is full{file}: free space in the project's outputs or in the hub's cache, and resume "
    "the job.",
)
_NO_NETWORK = Cause(
    _ERROR,
    "The hub, or another server, cannot be reached ({line}): check the network, or register "
    "files of the project instead of hub names, and resume the job.",
)
_NOT_ON_HUB = Cause(
    _USER,
    "The hub does not give access ({line}): check the name, request access if it is gated, and "
    f"start the studio with {HUB_TOKEN} set to a token that may read it.",
)
_DAMAGED = Cause(
    _USER,
    "A file of the model or of a checkpoint is damaged or cut off ({line}): download or copy it "
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
_ERROR_RULES = (
    _ErrorRule(
        r"^MemoryError|out of memory|can't allocate memory|cannot allocate memory|"
        r"unable to allocate|CUBLAS_STATUS_ALLOC_FAILED|bad_alloc",
        _OUT_OF_MEMORY,
    ),
    _ErrorRule(r"no space left on device|disk quota exceeded|file write failed", _DISK_FULL),
    _ErrorRule(r"weights_only|weights only load failed|UnpicklingError|allow_pickle", _PICKLE),
    _ErrorRule(r"trust_remote_code|custom code which must be executed|loading script", _OWN_CODE),
    _ErrorRule(
        r"^(GatedRepoError|RepositoryNotFoundError|RevisionNotFoundError|EntryNotFoundError|"
        r"DatasetNotFoundError|RemoteEntryNotFoundError)|\b40[134] client error|is a gated repo|"
        r"is not a local folder and is not a valid model identifier",
        _NOT_ON_HUB,
    ),
    _ErrorRule(
        r"^(ConnectionError|ConnectTimeout|ConnectError|ReadTimeout|ProxyError|SSLError|"
        r"LocalEntryNotFoundError|OfflineModeIsEnabled|HfHubHTTPError|MaxRetryError|gaierror|"
        r"ConnectionResetError|ConnectionRefusedError|RemoteProtocolError|ReadError)|"
        r"name resolution|name or service not known|couldn't connect to|offline mode is enabled|"
        r"\b5\d\d server error",
        _NO_NETWORK,
    ),
    _ErrorRule(
        r"^(SafetensorError|BadZipFile)|PytorchStreamReader failed|incomplete metadata|"
        r"MetadataIncompleteBuffer|HeaderTooLarge|InvalidHeader|^EOFError|"
        r"invalid load key|not in gzip format|unexpected end of (file|data)",
        _DAMAGED,
    ),
    _ErrorRule(
        r"DataLoader worker.*(killed|exited)|bus error|shared memory",
        Cause(
            _MEMORY,
            "A process that loads rows was ended, usually because memory ran out: set "
            "dataloader_num_workers to 0, or request more memory.",
        ),
    ),
    _ErrorRule(
        r"device-side assert|index out of range in self|indexSelectSmallIndex",
        Cause(
            _USER,
            "A token is beyond the model's embeddings: the tokenizer is not that of the base "
            "model. Register the model with its own tokenizer files.",
        ),
    ),
    _ErrorRule(
        r"driver version is insufficient|no kernel image is available|not compiled with CUDA|"
        r"found no NVIDIA driver",
        Cause(
            _USER,
            "The GPU's driver and the installed torch do not fit each other ({line}): update the "
            "driver, or install a torch that is made for it (FTS_TORCH_INDEX_URL).",
        ),
    ),
    _ErrorRule(
        r"CUDA error|cuDNN|cublas|NCCL|CUDA driver",
        Cause(
            _ERROR,
            "The GPU has failed ({line}): resume the job; if it happens again, look at "
            "`nvidia-smi`.",
        ),
    ),
    _ErrorRule(
        r"^(UnicodeDecodeError|UnicodeEncodeError)",
        Cause(_USER, "A text is not in UTF-8 ({line}): save the file in UTF-8."),
    ),
    _ErrorRule(
        r"^(ModuleNotFoundError|ImportError|PackageNotFoundError)",
        Cause(
            _USER,
            "A package cannot be imported in the environment of the jobs ({line}): choose "
            f"settings that do without it, or install it there; {_ENVIRONMENT}.",
        ),
    ),
    _ErrorRule(
        r"^(MlflowException|RestException)",
        Cause(
            _ERROR,
            "MLflow's tracking store has refused a request ({line}): check "
            "MLFLOW_TRACKING_URI, or set report_to to none.",
        ),
    ),
    _ErrorRule(
        r"^(BrokenProcessPool|ProcessRaisedException|ProcessExitedException|CalledProcessError)",
        Cause(_ERROR, "A process of the job was ended ({line}): see its log, and resume the job."),
    ),
    _ErrorRule(
        r"^(TimeoutError|TimeoutExpired|BrokenPipeError|ConnectionAbortedError)",
        Cause(_ERROR, "A connection was lost, or an answer did not come ({line}): resume the job."),
    ),
)
_OF_ERRNO = {
    errno.ENOSPC: _DISK_FULL,
    errno.EDQUOT: _DISK_FULL,
    errno.ENOMEM: _OUT_OF_MEMORY,
    errno.EACCES: Cause(_USER, "The job has no permission for a file{file}: grant it."),
    errno.EPERM: Cause(_USER, "The job has no permission for a file{file}: grant it."),
    errno.EROFS: Cause(_USER, "A folder is read-only{file}: choose another output_dir."),
    errno.ENOENT: Cause(_USER, "A file does not exist{file}: restore it."),
    errno.ENOTDIR: Cause(_USER, "A folder does not exist{file}: restore it."),
    errno.EISDIR: Cause(_USER, "There is a folder instead of a file{file}: move it elsewhere."),
    errno.EMFILE: Cause(_ERROR, "Too many files are open{file}: raise the limit (`ulimit -n`)."),
    errno.EIO: Cause(_ERROR, "The disk has failed{file}: check it, and resume the job."),
    errno.ESTALE: Cause(_ERROR, "The network file system was lost{file}: resume the job."),
}
_UNSAFE = re.compile(
    # The studio's own refusal of the setting is not advice to use it.
    r"weights_only|trust_remote_code(?! must be false)|allow_pickle|allow_dangerous|arbitrary code",
    re.IGNORECASE,
)
NOT_SHOWN = "(a library's advice to run code from files is left out)"


def cause_of(error: BaseException) -> Cause | None:
    """The cause of an error, or of one that it was raised from; None if it is not known."""
    chain = [error]
    while (cause := chain[-1].__cause__) is not None and cause not in chain:
        chain.append(cause)
    for one in chain:
        number = getattr(one, "errno", None) if isinstance(one, OSError) else None
        if number in _OF_ERRNO:
            return _filled(_OF_ERRNO[number], one)
        text = f"{type(one).__name__}: {one}"
        for known in _ERROR_RULES:
            if re.search(known.pattern, text, re.IGNORECASE):
                return _filled(known.cause, one)
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Tells whether the error means that memory has run out."""
    cause = cause_of(error)
    return cause is not None and cause.kind == FailureKind.OUT_OF_MEMORY


def safe(text: str) -> str:
    """The text without lines that advise to load pickles, or to run code that comes with files."""
    if not _UNSAFE.search(text):
        return text
    lines = [NOT_SHOWN if _UNSAFE.search(line) else line for line in text.split("\n")]
    return "\n".join(lines)


def _filled(cause: Cause, error: BaseException) -> Cause:
    file = getattr(error, "filename", None)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    line = safe(lines[0]) if lines else type(error).__name__
    words = cause.words.replace("{file}", f" ({file})" if file else "")
    return Cause(cause.kind, words.replace("{line}", line[:300]))
