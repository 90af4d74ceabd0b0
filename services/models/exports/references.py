"""What an export refers to."""

from chassis.rpc.errors import FailedPrecondition
from chassis.rpc.peers import all_referred, referred
from services.models import rules
from services.models.peers import AdapterFacts, Adapters
from services.models.service import ModelService
from services.models.store import Model


class References:
    """Base models of this domain, and adapters of another."""

    def __init__(self, models: ModelService, adapters: Adapters) -> None:
        self._models = models
        self._adapters = adapters

    async def fitting(self, base_model_id: str, adapter_id: str) -> tuple[Model, AdapterFacts]:
        """Both of them.

        Raises FailedPrecondition for what does not exist, or if they do not go together.
        """
        base, adapter = await all_referred(
            referred("base_model_id", self._base(base_model_id)),
            referred("adapter_id", self._adapters.get(adapter_id)),
        )
        if adapter.model_id != base_model_id:
            raise FailedPrecondition.at(
                "adapter_id",
                rules.ADAPTER_FITS,
                f"adapter {adapter_id!r} was trained on model {adapter.model_id!r}, "
                f"not on {base_model_id!r}",
                reason="ADAPTER_OF_ANOTHER_MODEL",
            )
        return base, adapter

    async def _base(self, id: str) -> Model:
        return self._models.get(id)
