"""What the adapters service asks of others."""

from collections.abc import Awaitable
from typing import Any

from chassis import domains
from chassis.config import Settings
from chassis.rpc.peers import all_referred, referred
from ft.proto.fine_tuning_studio_pb2 import (
    GetFineTuningJobRequest,
    GetModelRequest,
    GetPromptRequest,
    ModelMetadata,
)


class References:
    """The services that own what an adapter refers to."""

    def __init__(self, settings: Settings) -> None:
        self._models = domains.models(settings)
        self._fine_tuning = domains.fine_tuning(settings)
        self._prompts = domains.prompts(settings)

    async def require(
        self, model_id: str, fine_tuning_job_id: str, prompt_id: str
    ) -> ModelMetadata:
        """The model, if all of them exist; an empty job or prompt id refers to nothing.

        The owners are asked at the same time. Raises FailedPrecondition, naming the field, for
        what does not exist, and Unavailable, naming the owner, if one does not answer.
        """
        lookups: list[Awaitable[Any]] = [referred("model_id", self._model(model_id))]
        if fine_tuning_job_id:
            lookups.append(referred("fine_tuning_job_id", self._job(fine_tuning_job_id)))
        if prompt_id:
            lookups.append(referred("prompt_id", self._prompt(prompt_id)))
        model: ModelMetadata
        model, *_ = await all_referred(*lookups)
        return model

    async def close(self) -> None:
        """Lets go of the services."""
        for peer in (self._models, self._fine_tuning, self._prompts):
            await peer.close()

    async def _model(self, id: str) -> ModelMetadata:
        return (await self._models(lambda stub: stub.GetModel, GetModelRequest(id=id))).model

    async def _job(self, id: str) -> None:
        await self._fine_tuning(lambda stub: stub.GetFineTuningJob, GetFineTuningJobRequest(id=id))

    async def _prompt(self, id: str) -> None:
        await self._prompts(lambda stub: stub.GetPrompt, GetPromptRequest(id=id))
