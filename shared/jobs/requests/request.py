"""The base class of the requests that start jobs."""

from dataclasses import dataclass
from typing import Annotated, Any, Self

from chassis.rpc.domain_request import DomainRequest, Mark
from chassis.rpc.errors import Violations
from chassis.store.records import Record
from jobs.failures import Retries
from jobs.requests.arguments import check_carried

FLAG, CARRIED, CONFIG = Mark("flag"), Mark("carried"), Mark("config")
CarriedText = Annotated[str, CARRIED]
"""Type of a text that becomes part of the job's arguments, see `jobs.requests.arguments`."""
FlagText = Annotated[str, FLAG, CARRIED]
"""Type of a text that the job gets as a flag of the field's name."""
ConfigText = Annotated[str, CONFIG]
"""Type of a config for a library, a JSON object; empty if it is not set."""


@dataclass(frozen=True, kw_only=True)
class JobRequest(DomainRequest):
    """A request to start jobs."""

    retry: Retries | None = None
    """Policy by which each of the jobs is retried automatically; never if None."""

    @classmethod
    def from_message(cls, message: Any, **given: Any) -> Self:
        """Reads the request and its retry policy, see `DomainRequest.from_message`."""
        if message.HasField("retry"):
            given["retry"] = Retries.asked(message.retry)
        return super().from_message(message, **given)

    def check(self, found: Violations) -> None:
        """Adds violations of the texts that become arguments, and of the retry policy."""
        check_carried(self.values(self.named(CARRIED)), found)
        if self.retry is not None:
            self.retry.check("retry", found)

    @property
    def configs(self) -> dict[str, str]:
        """The configs for libraries that are set, by name of field."""
        return {name: text for name, text in self.values(self.named(CONFIG)).items() if text}

    def flags(self) -> dict[str, object]:
        """Returns the flags of the job that are fields of the request."""
        return self.values(self.named(FLAG))

    def columns(self, kind: type[Record]) -> dict[str, Any]:
        """Returns the columns of the job's record that are fields of the request.

        The configs are not among them: a record has their stored texts.
        """
        names = {*kind.table().columns.keys()} - {"retry", *self.named(CONFIG)}
        return {
            **self.values(names),
            "retry": self.retry.stored() if self.retry else None,
            "request_id": self.key.request_id or None,
            "request_digest": self.key.digest or None,
        }
