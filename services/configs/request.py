"""The AddConfig request."""

from dataclasses import dataclass

from chassis.rpc.domain_request import DomainRequest, Stripped
from chassis.rpc.errors import Violations
from ft.enums import ConfigType


@dataclass(frozen=True, kw_only=True)
class ConfigRequest(DomainRequest):
    """A config to store."""

    type: str
    config: str
    description: Stripped
    """Name of a model, by whose family configs are kept apart; of a dataset format its own name."""

    def check(self, found: Violations) -> None:
        """Adds each rule that the request breaks by itself."""
        found.one_of("type", self.type, ConfigType)
        found.required("config", self.config)
