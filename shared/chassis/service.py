"""A service's process: `python -m services.<name>` runs its `service`."""

from collections.abc import Callable
from dataclasses import dataclass

from chassis.config import Settings
from chassis.rpc.server import ServiceParts, run


@dataclass(frozen=True)
class Service:
    """A service process: its name, and the function that makes its parts."""

    name: str
    parts: Callable[[Settings], ServiceParts]
    default_listen: str = ""
    """Default address to listen on; its socket if empty."""

    def run(self) -> None:
        """Serves until told to stop."""
        settings = Settings.load(self.name, default_listen=self.default_listen)
        run(settings, self.parts(settings))
