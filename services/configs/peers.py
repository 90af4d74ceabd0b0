"""Calls of the configs service to other domains."""

from chassis import domains
from chassis.config import Settings
from ft.proto.domains_pb2 import GetModelFamilyRequest, ListJobConfigIdsRequest
from ft.proto.fine_tuning_studio_pb2 import GetAdapterRequest


class ConfigPeers:
    """The services that own models, adapters and jobs. Every method raises NotFound."""

    def __init__(self, settings: Settings) -> None:
        self._models = domains.models(settings)
        self._adapters = domains.adapters(settings)
        self._fine_tuning = domains.fine_tuning(settings)

    async def family_of_name(self, name: str) -> str:
        """The family of the model of that name; empty if it has none."""
        return await self._family(GetModelFamilyRequest(name=name))

    async def family_of_model(self, model_id: str) -> str:
        """The family of a registered model; empty if it has none."""
        return await self._family(GetModelFamilyRequest(model_id=model_id))

    async def configs_of_adapter(self, adapter_id: str) -> set[str]:
        """Ids of the configs of the job that trained the adapter; none if no job did."""
        response = await self._adapters(
            lambda stub: stub.GetAdapter, GetAdapterRequest(id=adapter_id)
        )
        job_id = response.adapter.fine_tuning_job_id
        return await self.configs_of_job(job_id) if job_id else set()

    async def configs_of_job(self, job_id: str) -> set[str]:
        """Ids of the configs that the job was started with."""
        response = await self._fine_tuning(
            lambda stub: stub.ListJobConfigIds, ListJobConfigIdsRequest(job_id=job_id)
        )
        return set(response.config_ids)

    async def close(self) -> None:
        """Closes the connections."""
        for peer in (self._models, self._adapters, self._fine_tuning):
            await peer.close()

    async def _family(self, request: GetModelFamilyRequest) -> str:
        response = await self._models(lambda stub: stub.GetModelFamily, request)
        return response.family
