"""Pages, filter and order of what type, model, adapter or job have left of the configs."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert

from chassis import domains
from chassis.rpc import errors
from chassis.store.records import now
from chassis.testing.services import parts_of, serving, settings_in
from ft.proto.fine_tuning_studio_pb2 import (
    AddModelRequest,
    ListConfigsRequest,
    ListConfigsResponse,
)
from services.configs.store import Config
from services.fine_tuning.store import FineTuningJob


class Studio:
    """The services, and rows put straight into their tables."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = AsyncExitStack()
        settings = settings_in(folder, "test")
        self._project = settings.project
        self._configs = domains.configs(settings)
        self._models = domains.models(settings)

    async def serve(self, domain: str, table: Table | None = None, *rows: dict[str, Any]) -> None:
        settings = settings_in(self._folder, domain)
        parts = parts_of(settings)
        await self._stack.enter_async_context(serving(settings, parts))
        if table is not None:
            assert parts.store is not None
            filled = [{"created_at": now(), "updated_at": now(), **row} for row in rows]
            await parts.store.write(lambda c: c.execute(insert(table), filled))

    async def model(self, name: str, family: str) -> str:
        (self._project / name).mkdir()
        config = {"architectures": [family], "model_type": "x"}
        (self._project / name / "config.json").write_text(json.dumps(config))
        request = AddModelRequest(type="project", location=name)
        return (await self._models(lambda s: s.AddModel, request)).model.id

    async def page(self, **asked: Any) -> ListConfigsResponse:
        return await self._configs(lambda s: s.ListConfigs, ListConfigsRequest(**asked))

    async def ids(self, **asked: Any) -> list[str]:
        return [config.id for config in (await self.page(**asked)).configs]

    async def close(self) -> None:
        await self._configs.close()
        await self._models.close()
        await self._stack.aclose()


def config(id: str, family: str, shipped: int, description: str) -> dict[str, Any]:
    return {
        "id": id,
        "type": "lora_config",
        "config": "{}",
        "model_family": family,
        "is_default": shipped,
        "description": description,
    }


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    studio = Studio(tmp_path)
    await studio.serve("models")
    await studio.serve(
        "configs",
        Config.table(),
        config("l-1", "Llama", 1, "b"),
        config("l-2", "Llama", 1, "a"),
        config("g-1", "GPT2", 1, "a"),
        config("l-3", "Llama", 1, "c"),
        config("mine", "Llama", 0, "a"),
        {**config("l-4", "Llama", 1, "d"), "type": "custom"},
    )
    yield studio
    await studio.close()


async def test_configs_of_a_model_come_in_pages(studio: Studio) -> None:
    llama = await studio.model("llama", "Llama")
    asked = {"model_id": llama, "type": "lora_config", "order_by": "description"}
    assert await studio.ids(**asked) == ["l-2", "l-1", "l-3"]
    assert await studio.ids(**asked, filter={"description": "a"}) == ["l-2"]
    first = await studio.page(**asked, page_size=2)
    assert [one.id for one in first.configs] == ["l-2", "l-1"]
    last = await studio.page(**asked, page_size=2, page_token=first.next_page_token)
    assert ([one.id for one in last.configs], last.next_page_token) == (["l-3"], "")
    for other in ({**asked, "type": ""}, {**asked, "model_id": ""}):
        with pytest.raises(errors.InvalidArgument, match="from another list"):
            await studio.page(**other, page_token=first.next_page_token)


async def test_filter_does_not_decide_whether_a_family_has_configs(studio: Studio) -> None:
    llama = await studio.model("llama", "Llama")
    other = await studio.model("other", "Other")
    mine = {"type": "lora_config", "filter": {"is_default": "0"}}
    assert await studio.ids(**mine, model_id=llama) == []
    assert await studio.ids(**mine, model_id=other) == ["mine"]


async def test_configs_of_a_job_come_in_pages(studio: Studio) -> None:
    job = {"id": "j", "state": "SUCCEEDED", "lora_config_id": "g-1", "user_config_id": "l-4"}
    await studio.serve("fine_tuning", FineTuningJob.table(), job)
    assert await studio.ids(fine_tuning_job_id="j", order_by="id desc") == ["l-4", "g-1"]
    first = await studio.page(fine_tuning_job_id="j", page_size=1)
    assert await studio.ids(fine_tuning_job_id="j", page_token=first.next_page_token) == ["l-4"]
    assert await studio.ids(fine_tuning_job_id="j", filter={"type": "custom"}) == ["l-4"]
