"""Facts about adapters on the hub, read without loading their weights."""

from dataclasses import dataclass
from typing import Any

from chassis.config import Settings
from chassis.hub.errors import Repository
from chassis.hub.questions import Hub
from chassis.rpc import errors
from ft.adapters.base import CONFIG, read
from services.adapters import rules


@dataclass(frozen=True, slots=True)
class HubAdapter:
    """Facts about an adapter on the hub."""

    commit: str
    config: dict[str, Any]


class HubAdapters:
    """Reads an adapter's config from the hub."""

    def __init__(self, settings: Settings) -> None:
        self._hub = Hub(settings)
        self.close = self._hub.close

    async def describe(self, name: str) -> HubAdapter:
        """The newest commit of the adapter of that name, and its config there.

        Raises as `Hub.ask` does, and InvalidArgument if the repository has no adapter.
        """
        about = Repository("model", name)
        return await self._hub.ask(about, lambda: self._describe(about))

    def _describe(self, about: Repository) -> HubAdapter:
        from huggingface_hub.errors import RemoteEntryNotFoundError

        commit = self._hub.require(about)
        try:
            config = read(self._hub.file(Repository("model", about.name, commit), CONFIG))
        except RemoteEntryNotFoundError:
            config = {}
        if not config.get("peft_type"):
            raise errors.InvalidArgument.at(
                "huggingface_name",
                rules.ON_HUB,
                f"{about.name!r} has no {CONFIG} with a peft_type; use the name of a repository "
                "that contains an adapter",
            )
        return HubAdapter(commit, config)
