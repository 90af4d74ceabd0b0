"""Facts about models on the hub, read without loading their weights."""

from chassis.config import Settings
from chassis.hub.errors import Repository
from chassis.hub.questions import Hub
from chassis.rpc import errors
from services.models import model_config


class HubModels:
    """Asks the hub with `huggingface_hub`. Both questions raise as `Hub.ask` does."""

    def __init__(self, settings: Settings) -> None:
        self._hub = Hub(settings)
        self.close = self._hub.close

    async def require(self, name: str) -> str:
        """The newest commit of the model of that name, if the hub has it and our token may read
        it."""
        about = Repository("model", name)
        return await self._hub.ask(about, lambda: self._hub.require(about))

    async def family(self, name: str) -> str:
        """The first architecture in the model's config; empty if it names none.

        Raises also FailedPrecondition for a model whose config is missing or unusable.
        """
        about = Repository("model", name)
        return await self._hub.ask(about, lambda: self._family(about))

    def _family(self, about: Repository) -> str:
        from huggingface_hub.errors import RemoteEntryNotFoundError

        try:
            file = self._hub.file(about, model_config.CONFIG_FILE)
            return model_config.family(model_config.read(file))
        except RemoteEntryNotFoundError as error:
            raise _unusable(about.name, f"has no {model_config.CONFIG_FILE}") from error
        except model_config.ConfigFault as fault:
            raise _unusable(about.name, str(fault)) from fault


def _unusable(name: str, why: str) -> errors.FailedPrecondition:
    return errors.FailedPrecondition(
        f"model {name!r}: {why}", reason="MODEL_CONFIG_UNUSABLE", model=name
    )
