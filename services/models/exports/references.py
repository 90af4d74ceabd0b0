"""Looks up the base model and the adapter that an export refers to."""

from chassis.rpc.errors import FailedPrecondition
from chassis.rpc.peers import all_referred, referred
from services.models import rules
from services.models.peers import AdapterFacts, ModelPeers
from services.models.store import Model, ModelStore


class ExportReferences:
    """Base models of this domain, and adapters of another."""

    def __init__(self, models: ModelStore, peers: ModelPeers) -> None:
        self._models = models
        self._peers = peers

    async def fitting(self, base_model_id: str, adapter_id: str) -> tuple[Model, AdapterFacts]:
        """Returns both of them.

        Raises FailedPrecondition for what does not exist, or if they do not belong together.
        """

        async def base_model() -> Model:
            return self._models.get(base_model_id)

        base, adapter = await all_referred(
            referred("base_model_id", base_model()),
            referred("adapter_id", self._peers.adapter(adapter_id)),
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
