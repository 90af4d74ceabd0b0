"""The configs service over gRPC, with the real services that it asks."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis import domains
from chassis.rpc import errors
from chassis.testing.services import exported_rows, put_rows, services, settings_in
from ft.proto.fine_tuning_studio_pb2 import (
    AddConfigRequest,
    AddModelRequest,
    ConfigMetadata,
    GetConfigRequest,
    ListConfigsRequest,
    RemoveConfigRequest,
)

FORMATS = "axolotl_dataset_formats"


class Studio:
    """Calls to the services."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder, "test")
        self.folder = folder
        self.project = settings.project
        self.configs = domains.configs(settings)
        self.models = domains.models(settings)
        self.adapters = domains.adapters(settings)
        self.fine_tuning = domains.fine_tuning(settings)

    async def close(self) -> None:
        for peer in (self.configs, self.models, self.adapters, self.fine_tuning):
            await peer.close()

    async def model(self, name: str, family: str) -> str:
        (self.project / name).mkdir()
        config = {"architectures": [family], "model_type": "x"}
        (self.project / name / "config.json").write_text(json.dumps(config))
        response = await self.models(
            lambda s: s.AddModel, AddModelRequest(type="project", location=name)
        )
        return response.model.id

    async def add(self, type: str, config: str, description: str = "") -> ConfigMetadata:
        request = AddConfigRequest(type=type, config=config, description=description)
        return (await self.configs(lambda s: s.AddConfig, request)).config

    async def listed(self, **narrowed: str) -> list[ConfigMetadata]:
        response = await self.configs(lambda s: s.ListConfigs, ListConfigsRequest(**narrowed))
        return list(response.configs)

    async def ids(self, **narrowed: str) -> list[str]:
        return [config.id for config in await self.listed(**narrowed)]


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with services(tmp_path, "configs", "models", "adapters", "fine_tuning"):
        studio = Studio(tmp_path)
        yield studio
        await studio.close()


async def test_shipped_configs_cover_each_setting_and_format(studio: Studio) -> None:
    shipped = await studio.listed()
    assert {config.is_default for config in shipped} == {1}
    settings = {c.type: json.loads(c.config) for c in shipped if c.type != FORMATS}
    assert settings["lora_config"] == {
        "r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.05,
        "bias": "none",
        "task_type": "CAUSAL_LM",
    }
    assert settings["training_arguments"]["learning_rate"] == 0.0002
    assert settings["bitsandbytes_config"]["load_in_4bit"] is True
    assert settings["generation_config"]["max_new_tokens"] == 60
    assert len(settings) == 4
    formats = {c.description: list(json.loads(c.config)) for c in shipped if c.type == FORMATS}
    assert len(formats) == 20
    assert formats["alpaca"] == ["instruction", "input", "output"]
    assert formats["context_qa.load_404"] == ["article", "unanswerable_question"]


async def test_shipped_configs_have_the_same_ids_everywhere(tmp_path: Path) -> None:
    ids = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        async with services(folder, "configs"):
            studio = Studio(folder)
            ids.append(await studio.ids())
            await studio.close()
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 24


async def test_config_is_stored_in_canonical_form(studio: Studio) -> None:
    added = await studio.add("custom", '{ "b": [1, 2.5],\n "a": "x y" }')
    assert added.config == '{"a":"x y","b":[1,2.5]}'
    assert (added.type, added.is_default, added.description) == ("custom", 0, "")
    got = await studio.configs(lambda s: s.GetConfig, GetConfigRequest(id=added.id))
    assert got.config == added


async def test_equal_content_is_stored_once(studio: Studio) -> None:
    spellings = ['{"a":1,"b":2}', '{"b":2.0,"a":1}', ' {"a" : 1e0, "b":2}']
    added = await asyncio.gather(*(studio.add("custom", text) for text in spellings * 5))
    assert len({config.id for config in added}) == 1
    assert len(await studio.listed(type="custom")) == 1
    other = await studio.add("generation_config", '{"a":1,"b":2}')
    assert other.id != added[0].id


async def test_shipped_config_is_found_by_its_content(studio: Studio) -> None:
    [shipped] = await studio.listed(type="lora_config")
    settings = json.loads(shipped.config)
    again = await studio.add("lora_config", json.dumps(dict(reversed(settings.items()))))
    assert again == shipped


async def test_yaml_is_stored_as_yaml(studio: Studio) -> None:
    first = await studio.add("axolotl", "# mine\nlr: 2e-4\nbase_model: x\n")
    again = await studio.add("axolotl", "base_model: x\nlr: 0.0002")
    assert again == first
    assert first.config.startswith("base_model: x\n")


async def test_described_config_is_kept_for_its_model_family(studio: Studio) -> None:
    await studio.model("llama-a", "LlamaForCausalLM")
    await studio.model("llama-b", "LlamaForCausalLM")
    await studio.model("gpt", "GPT2LMHeadModel")
    [shipped] = await studio.listed(type="lora_config")
    llama = await studio.add("lora_config", shipped.config, "llama-a")
    assert llama.id != shipped.id
    assert (llama.model_family, llama.description) == ("LlamaForCausalLM", "llama-a")
    assert (await studio.add("lora_config", shipped.config, "llama-b")).id == llama.id
    gpt = await studio.add("lora_config", shipped.config, "gpt")
    assert gpt.model_family == "GPT2LMHeadModel"
    assert len(await studio.listed(type="lora_config")) == 3


async def test_dataset_format_is_described_by_its_name(studio: Studio) -> None:
    columns = '{"question": "...", "choices": "...", "solution": "...", "explanation": "..."}'
    explain = await studio.add(FORMATS, columns, "explainchoice")
    concise = await studio.add(FORMATS, columns, "concisechoice")
    assert (explain.is_default, concise.is_default) == (1, 1)
    assert explain.id != concise.id
    mine = await studio.add(FORMATS, columns, "mine")
    assert (mine.is_default, mine.model_family, mine.description) == (0, "", "mine")


async def test_named_model_must_be_reachable(studio: Studio) -> None:
    # Tests run without the hub, where a name that is not registered would be looked for.
    with pytest.raises(errors.Unavailable, match="'some/model'"):
        await studio.add("custom", "{}", "some/model")
    with pytest.raises(errors.FailedPrecondition, match="description: 'not a name'"):
        await studio.add("custom", "{}", "not a name")
    assert await studio.listed(type="custom") == []


async def test_add_names_every_wrong_field(studio: Studio) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.add("other", " ")
    assert {v.field for v in refused.value.violations} == {"type", "config"}
    with pytest.raises(errors.InvalidArgument, match="config: line 1 column 1: must be an object"):
        await studio.add("custom", "[]")


async def test_list_has_the_shipped_configs_of_a_model_family(studio: Studio) -> None:
    model = await studio.model("llama", "LlamaForCausalLM")
    await studio.add("lora_config", '{"r": 8}', "llama")
    everything = await studio.ids(type="lora_config")
    assert await studio.ids(type="lora_config", model_id=model) == everything
    row: dict[str, object] = {
        "id": "c-1",
        "type": "lora_config",
        "config": "{}",
        "model_family": "LlamaForCausalLM",
        "is_default": 1,
    }
    await put_rows(studio.folder, "configs", row)
    assert await studio.ids(type="lora_config", model_id=model) == ["c-1"]


async def test_list_has_the_configs_that_a_job_used(studio: Studio) -> None:
    used = await studio.add("custom", '{"n": 1}')
    await studio.add("custom", '{"n": 2}')
    [lora] = await studio.ids(type="lora_config")
    job: dict[str, object] = {
        "id": "j-1",
        "state": "SUCCEEDED",
        "lora_config_id": lora,
        "user_config_id": used.id,
    }
    await put_rows(studio.folder, "fine_tuning", job)
    adapters: list[dict[str, object]] = [
        {"id": "a-1", "fine_tuning_job_id": "j-1"},
        {"id": "a-2"},
    ]
    await put_rows(studio.folder, "adapters", *adapters)
    assert set(await studio.ids(fine_tuning_job_id="j-1")) == {lora, used.id}
    assert set(await studio.ids(adapter_id="a-1")) == {lora, used.id}
    assert await studio.ids(adapter_id="a-1", type="custom") == [used.id]
    assert await studio.ids(adapter_id="a-2") == []
    with pytest.raises(errors.NotFound, match="'nope'"):
        await studio.ids(adapter_id="nope")


async def test_domain_that_is_down_is_named(tmp_path: Path) -> None:
    async with services(tmp_path, "configs"):
        studio = Studio(tmp_path)
        for narrowed in ({"adapter_id": "a"}, {"fine_tuning_job_id": "j"}):
            with pytest.raises(errors.Unavailable, match="is not available"):
                await studio.ids(**narrowed)
        # No shipped config is meant for one family only, so nobody needs to know the model's.
        assert await studio.ids(model_id="m") == await studio.ids()
        await studio.close()


async def test_removal_is_idempotent(studio: Studio) -> None:
    added = await studio.add("custom", "{}")
    for _ in range(2):
        await studio.configs(lambda s: s.RemoveConfig, RemoveConfigRequest(id=added.id))
    with pytest.raises(errors.NotFound, match=added.id):
        await studio.configs(lambda s: s.GetConfig, GetConfigRequest(id=added.id))


async def test_imported_config_counts_whatever_its_spelling(studio: Studio) -> None:
    rows: list[dict[str, object]] = [
        {"id": "c-1", "type": "custom", "config": '{"b": 1,  "a": 2}'},
        {"id": "c-2", "type": "custom", "config": "no config at all"},
        {"id": "c-3", "type": "custom"},
    ]
    await put_rows(studio.folder, "configs", *rows)
    assert (await studio.add("custom", '{"a":2,"b":1}')).id == "c-1"
    kept = {row["id"]: row for row in await exported_rows(studio.folder, "configs")}
    assert kept["c-1"]["config"] == '{"b": 1,  "a": 2}'
    assert len(kept) == 27


async def test_service_is_the_same_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    for _ in range(2):  # the second time with tables that are there
        async with services(tmp_path, "configs", database_url=postgres_url):
            studio = Studio(tmp_path)
            assert len(await studio.listed(type=FORMATS)) == 20
            added = [studio.add("custom", f'{{"n": {spelling}}}') for spelling in ("1", "1.0") * 5]
            assert len({config.id for config in await asyncio.gather(*added)}) == 1
            assert len(await studio.listed()) == 25
            await studio.close()
