"""Fields of every request to start jobs: request id and retry policy."""

from dataclasses import dataclass
from typing import Any

from chassis.rpc.errors import Violations
from chassis.rpc.requests import digest
from jobs.failures import Retries


@dataclass(frozen=True, kw_only=True)
class Repeatable:
    """Base of the requests of the job domains."""

    request_id: str = ""
    """Id that the client has chosen, to repeat the request with it; empty for none."""
    digest: str = ""
    """Digest that distinguishes this request from others with the same id."""
    retry: Retries | None = None
    """Policy for automatic retries of each job; None for no retries."""

    def check_retry(self, found: Violations) -> None:
        """Adds a violation for every rule that the retry policy breaks."""
        if self.retry is not None:
            self.retry.check("retry", found)

    def repetition(self) -> dict[str, Any]:
        """Returns columns of the job's record."""
        return {
            "retry": self.retry.stored() if self.retry else None,
            "request_id": self.request_id or None,
            "request_digest": self.digest or None,
        }


def repetition_asked(request: Any) -> dict[str, Any]:
    """Returns the fields of a `Repeatable` from a message."""
    return {
        "request_id": request.request_id,
        "digest": digest(request, "request_id"),
        "retry": Retries.asked(request.retry) if request.HasField("retry") else None,
    }
