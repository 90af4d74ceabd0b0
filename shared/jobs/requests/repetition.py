"""What every request to start jobs may say of being sent again, and of jobs being tried again."""

from dataclasses import dataclass
from typing import Any

from chassis.rpc.errors import Violations
from chassis.rpc.requests import digest
from jobs.failures import Retries


@dataclass(frozen=True, kw_only=True)
class Repeatable:
    """Base of the requests of the job domains."""

    request_id: str = ""
    """Chosen by the client, who sends the request again under it; empty for none."""
    digest: str = ""
    """Tells this request from others that come with the same id."""
    retry: Retries | None = None
    """When each of the jobs is tried again by itself; never if None."""

    def check_retry(self, found: Violations) -> None:
        """Notes every rule that the retry policy breaks."""
        if self.retry is not None:
            self.retry.check("retry", found)

    def repetition(self) -> dict[str, Any]:
        """Columns of the job's record."""
        return {
            "retry": self.retry.stored() if self.retry else None,
            "request_id": self.request_id or None,
            "request_digest": self.digest or None,
        }


def repetition_asked(request: Any) -> dict[str, Any]:
    """The fields of a `Repeatable`, of a message that has them."""
    return {
        "request_id": request.request_id,
        "digest": digest(request, "request_id"),
        "retry": Retries.asked(request.retry) if request.HasField("retry") else None,
    }
