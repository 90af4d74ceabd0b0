"""What each Add and Remove costs: statements, commits, and calls to other services."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis import domains
from chassis.rpc import errors
from chassis.testing.costs import counted, idle_services
from chassis.testing.services import settings_in
from ft.enums import ConfigType
from ft.proto.fine_tuning_studio_pb2 import (
    AddAdapterRequest,
    AddConfigRequest,
    AddDatasetRequest,
    AddModelRequest,
    AddPromptRequest,
    PromptMetadata,
    RemoveAdapterRequest,
    RemoveConfigRequest,
    RemoveDatasetRequest,
    RemoveModelRequest,
    RemovePromptRequest,
)

NAMES = ("datasets", "models", "prompts", "configs", "adapters")
TEMPLATES = {
    "prompt_template": "{question} {answer}",
    "input_template": "{question}",
    "completion_template": " {answer}",
}


class Studio:
    """Calls to the registry's services, which run in the test's process."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder, "test")
        self.datasets = domains.datasets(settings)
        self.models = domains.models(settings)
        self.prompts = domains.prompts(settings)
        self.configs = domains.configs(settings)
        self.adapters = domains.adapters(settings)
        (settings.project / "rows.csv").write_text("question,answer\nq,a\n")
        (settings.project / "base").mkdir()
        (settings.project / "base" / "config.json").write_text('{"model_type": "llama"}')
        (settings.project / "tuned").mkdir()

    async def add_dataset(self, **fields: Any) -> str:
        request = AddDatasetRequest(type="project_csv", location="rows.csv", **fields)
        return (await self.datasets(lambda s: s.AddDataset, request)).dataset.id

    async def add_model(self, **fields: Any) -> str:
        request = AddModelRequest(type="project", location="base", **fields)
        return (await self.models(lambda s: s.AddModel, request)).model.id

    async def add_prompt(self, dataset_id: str, id: str, request_id: str = "") -> None:
        prompt = PromptMetadata(id=id, name=f"of {id}", dataset_id=dataset_id, **TEMPLATES)
        request = AddPromptRequest(prompt=prompt, request_id=request_id)
        await self.prompts(lambda s: s.AddPrompt, request)

    async def add_adapter(self, model_id: str, **fields: Any) -> str:
        request = AddAdapterRequest(
            type="project", location="tuned", model_id=model_id, name="tuned", **fields
        )
        return (await self.adapters(lambda s: s.AddAdapter, request)).adapter.id

    async def add_config(self) -> str:
        request = AddConfigRequest(type=ConfigType.LORA_CONFIG, config='{"r": 3}')
        return (await self.configs(lambda s: s.AddConfig, request)).config.id

    async def close(self) -> None:
        for peer in (self.datasets, self.models, self.prompts, self.configs, self.adapters):
            await peer.close()


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with idle_services(tmp_path, *NAMES):
        studio = Studio(tmp_path)
        yield studio
        await studio.close()


async def test_prompt_costs_one_commit_and_one_hop(studio: Studio) -> None:
    dataset = await studio.add_dataset(name="d")
    with counted() as costs:
        await studio.add_prompt(dataset, "p-1")
    costs.assert_at_most(statements=5, commits=1, hops=1)
    with counted() as costs:
        await studio.add_prompt(dataset, "p-2", request_id="r")
    costs.assert_at_most(statements=8, commits=1, hops=1)
    with counted() as costs:
        await studio.add_prompt(dataset, "p-2", request_id="r")
    costs.assert_at_most(statements=3, commits=0, hops=1)
    with counted() as costs:
        await studio.prompts(lambda s: s.RemovePrompt, RemovePromptRequest(id="p-1"))
    costs.assert_at_most(statements=2, commits=1, hops=0)


async def test_refused_prompt_costs_no_commit(studio: Studio) -> None:
    dataset = await studio.add_dataset(name="d")
    await studio.add_prompt(dataset, "p")
    with counted() as costs, pytest.raises(errors.AlreadyExists):
        await studio.add_prompt(dataset, "p")
    costs.assert_at_most(statements=3, commits=0, hops=1)


async def test_dataset_costs_one_commit(studio: Studio) -> None:
    with counted() as costs:
        id = await studio.add_dataset(name="d")
    costs.assert_at_most(statements=3, commits=1, hops=0)
    with counted() as costs:
        await studio.add_dataset(name="e", request_id="r")
    costs.assert_at_most(statements=6, commits=1, hops=0)
    request = RemoveDatasetRequest(id=id, remove_prompts=True)
    with counted() as costs:
        await studio.datasets(lambda s: s.RemoveDataset, request)
    costs.assert_at_most(statements=5, commits=2, hops=1)


async def test_model_costs_one_commit(studio: Studio) -> None:
    with counted() as costs:
        id = await studio.add_model()
    costs.assert_at_most(statements=3, commits=1, hops=0)
    with counted() as costs:
        await studio.models(lambda s: s.RemoveModel, RemoveModelRequest(id=id))
    costs.assert_at_most(statements=2, commits=1, hops=0)


async def test_adapter_costs_one_commit_and_a_hop_for_each_reference(studio: Studio) -> None:
    model = await studio.add_model()
    await studio.add_prompt(await studio.add_dataset(name="d"), "p")
    with counted() as costs:
        # A name that is taken is refused before others are asked.
        id = await studio.add_adapter(model, prompt_id="p")
    costs.assert_at_most(statements=6, commits=1, hops=2)
    with counted() as costs:
        await studio.adapters(lambda s: s.RemoveAdapter, RemoveAdapterRequest(id=id))
    costs.assert_at_most(statements=2, commits=1, hops=0)


async def test_config_costs_one_commit(studio: Studio) -> None:
    with counted() as costs:
        id = await studio.add_config()
    costs.assert_at_most(statements=4, commits=1, hops=0)
    with counted() as costs:
        await studio.configs(lambda s: s.RemoveConfig, RemoveConfigRequest(id=id))
    costs.assert_at_most(statements=2, commits=1, hops=0)
