"""Calls of the adapters service to other domains."""

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


class AdapterPeers:
    """The services that own what an adapter refers to."""

    def __init__(self, settings: Settings) -> None:
        self._models = domains.models(settings)
        self._fine_tuning = domains.fine_tuning(settings)
        self._prompts = domains.prompts(settings)

    async def require(
        self, model_id: str, fine_tuning_job_id: str, prompt_id: str
    ) -> ModelMetadata:
        """Returns the model if all of them exist; an empty job or prompt id refers to nothing.

        The owners are asked at the same time. Raises FailedPrecondition, naming the field, for
        what does not exist, and Unavailable, naming the owner, if one does not answer.
        """
        asked = self._models(lambda stub: stub.GetModel, GetModelRequest(id=model_id))
        lookups: list[Awaitable[Any]] = [referred("model_id", asked)]
        if fine_tuning_job_id:
            job = GetFineTuningJobRequest(id=fine_tuning_job_id)
            asked_job = self._fine_tuning(lambda stub: stub.GetFineTuningJob, job)
            lookups.append(referred("fine_tuning_job_id", asked_job))
        if prompt_id:
            prompt = GetPromptRequest(id=prompt_id)
            asked_prompt = self._prompts(lambda stub: stub.GetPrompt, prompt)
            lookups.append(referred("prompt_id", asked_prompt))
        response, *_ = await all_referred(*lookups)
        model: ModelMetadata = response.model
        return model

    async def close(self) -> None:
        """Closes the connections."""
        for peer in (self._models, self._fine_tuning, self._prompts):
            await peer.close()
