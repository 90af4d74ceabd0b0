"""Requests that are looked at in place of being started."""

from pathlib import Path
from typing import Any

from chassis import domains
from chassis.testing.services import settings_in
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    ValidateFineTuningJobRequest,
    ValidateFineTuningJobResponse,
)
from ft.proto.fine_tuning_studio_pb2 import (
    AddConfigRequest,
    StartFineTuningJobRequest,
)
from jobs.testing import Inspector, WorkbenchProcess, everything

PEERS = ("datasets", "models", "prompts", "configs", "adapters")
ROWS: dict[str, list[dict[str, Any]]] = {
    "models": [{"id": "m", "type": "project", "name": "base", "location": "base"}],
    "datasets": [
        {"id": "d", "name": "intents", "features": '["instruction", "input", "output"]'},
        {"id": "d-2", "name": "others"},
    ],
    "prompts": [{"id": "p", "name": "p", "dataset_id": "d"}],
    "adapters": [{"id": "a", "name": "taken"}],
}
RAN = {
    "base_model_id": "m",
    "num_cpu": 1,
    "num_gpu": 0,
    "num_workers": 1,
    "state": "SUCCEEDED",
}
WRONG = {
    "adapter_name": "taken",
    "base_model_id": "nope",
    "dataset_id": "d-2",
    "output_dir": "nowhere",
    "num_workers": 65,
    "num_cpu": 0,
    "lora_config": '{"lora_alfa": 8}',
    "user_config_id": "nope",
}


class Studio:
    """Calls to the services."""

    def __init__(self, folder: Path, workbench: WorkbenchProcess, inspector: Inspector) -> None:
        settings = settings_in(folder, "test")
        self.folder = folder
        self.workbench = workbench
        self.inspector = inspector
        self.jobs = domains.fine_tuning(settings)
        self.configs = domains.configs(settings)

    async def close(self) -> None:
        await self.jobs.close()
        await self.configs.close()

    def request(self, **fields: Any) -> StartFineTuningJobRequest:
        sent = {
            "adapter_name": "new",
            "base_model_id": "m",
            "dataset_id": "d",
            "prompt_id": "p",
            "num_cpu": 1,
            "num_memory": 4,
            **fields,
        }
        return StartFineTuningJobRequest(**sent)

    async def axolotl(
        self, text: str = "{datasets: [{type: alpaca}], adapter: lora}", type: str = "axolotl"
    ) -> dict[str, Any]:
        """Fields of a request for Axolotl, which jobs have, with that config."""
        self.workbench.let_jobs_have("legacy,axolotl")
        add = AddConfigRequest(type=type, config=text)
        config = (await self.configs(lambda s: s.AddConfig, add)).config
        return {"framework_type": "axolotl", "prompt_id": "", "axolotl_config_id": config.id}

    async def look(self, **fields: Any) -> ValidateFineTuningJobResponse:
        """What is found; fails if anything has changed."""
        looked_at = (self.folder, self.workbench, *PEERS, "fine_tuning")
        before = await everything(*looked_at)
        request = ValidateFineTuningJobRequest(request=self.request(**fields))
        response = await self.jobs(lambda s: s.ValidateFineTuningJob, request)
        assert await everything(*looked_at) == before
        return response


def found(response: ValidateFineTuningJobResponse) -> set[tuple[str, str, str]]:
    return {(one.severity, one.field, one.rule) for one in response.findings}
