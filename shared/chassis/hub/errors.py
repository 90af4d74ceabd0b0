"""Translation of exceptions of the hub's libraries into refusals."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from chassis.rpc import errors
from ft.job_protocol.variables import HUB_TOKEN

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError


@dataclass(frozen=True, slots=True)
class Repository:
    """A model or a dataset, by its name on the hub."""

    kind: Literal["model", "dataset"]
    name: str
    commit: str = ""
    """Commit at which its files are read; empty for the newest."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}"


class BrokenAnswer(OSError):
    """A fault of a hub's answer, described in our own words.

    It is not one of the HTTP exceptions, after which the libraries would retry.
    """


@contextmanager
def refusals(about: Repository) -> Iterator[None]:
    """Translates exceptions of the hub's libraries in the block into refusals, see `Hub.ask`.

    No message contains text of the hub, which may repeat the token.
    """
    from httpx2 import HTTPError, InvalidURL
    from huggingface_hub.errors import HFValidationError

    try:
        yield
    except HFValidationError as error:
        raise not_on_hub(about) from error
    except (OSError, HTTPError, InvalidURL) as error:
        raise _meaning(about, error) from error


def _meaning(about: Repository, error: BaseException) -> errors.Refusal:
    from huggingface_hub import errors as hub

    match error:
        case hub.LocalEntryNotFoundError(__cause__=cause) if cause is not None:
            # The file is not in the cache either; the cause says why it did not come from the hub.
            return _meaning(about, cause)
        case hub.HfHubHTTPError():
            return _of_answer(about, error)
        case hub.OfflineModeIsEnabled():
            return unavailable(about, "HF_HUB_OFFLINE is set")
        case BrokenAnswer():
            return unavailable(about, str(error))
        case OSError(filename=str()):
            why = f"the hub's cache (its folder is set by HF_HOME) cannot be used: {error}"
            return errors.FailedPrecondition(why, reason="HUB_CACHE_UNUSABLE")
    return unavailable(about, type(error).__name__)


def not_on_hub(about: Repository) -> errors.NotFound:
    """Makes the refusal for a repository that does not exist, or is hidden from us."""
    return errors.NotFound(
        f"{about.name!r} is not a {about.kind} on the hub; a private one is seen only with a "
        f"{HUB_TOKEN} that may read it",
        resource=about.kind,
        id=about.name,
    )


def unsendable(about: Repository) -> errors.PermissionDenied:
    """Makes the refusal for a token with characters that an HTTP header cannot contain."""
    why = f"cannot be read: {HUB_TOKEN} is not valid, it contains a space or a special character"
    return _denied(about, why, "HUB_TOKEN_REFUSED")


def gated(about: Repository) -> errors.PermissionDenied:
    """Makes the refusal for a gated repository to which we have no access."""
    why = f"is gated; ask for access on its page, and set {HUB_TOKEN} to a token that may read it"
    return _denied(about, why, "HUB_GATED")


def unavailable(about: Repository, why: str) -> errors.Unavailable:
    """Makes the refusal for a hub that gives no usable answer."""
    return errors.Unavailable(
        f"the hub did not answer about {about}: {why}", reason="HUB_UNAVAILABLE"
    )


def _of_answer(about: Repository, error: "HfHubHTTPError") -> errors.Refusal:
    from huggingface_hub import errors as hub

    request, status = error.response.request, error.response.status_code
    if isinstance(error, hub.GatedRepoError):
        return gated(about)
    if isinstance(error, hub.DisabledRepoError):
        return _denied(about, "is disabled on the hub", "HUB_DISABLED")
    if status in (401, 403) and "authorization" in request.headers:
        why = f"may not be read with this {HUB_TOKEN}: the hub refuses it with HTTP {status}"
        return _denied(about, why, "HUB_TOKEN_REFUSED")
    if isinstance(error, hub.RevisionNotFoundError) and about.commit:
        return errors.FailedPrecondition(
            f"{about} no longer has the commit {about.commit} at which it was registered; register "
            "it again",
            reason="HUB_COMMIT_MISSING",
            resource=about.kind,
            id=about.name,
        )
    if isinstance(error, hub.RevisionNotFoundError | hub.RepositoryNotFoundError):
        return not_on_hub(about)
    if status in (401, 403):
        return _denied(about, f"needs a token; set {HUB_TOKEN} to one", "HUB_TOKEN_REQUIRED")
    if status == 404 and "/resolve/" in request.url.path:
        file = request.url.path.rpartition("/")[2]
        return errors.FailedPrecondition(
            f"{about} has no {file}", reason="HUB_FILE_MISSING", resource=about.kind, id=about.name
        )
    if status == 404:
        return not_on_hub(about)
    return unavailable(about, f"HTTP {status}")


def _denied(about: Repository, why: str, reason: str) -> errors.PermissionDenied:
    return errors.PermissionDenied(
        f"{about} {why}", reason=reason, resource=about.kind, id=about.name
    )
