"""Shipped configs of today's studio, which an import brings under ids of their own."""

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ft.proto import fine_tuning_studio_pb2 as pb
from services.facade.tests.studio import Studio, studio_in
from tests.contract.studios import take
from tests.contract.todays_studio import Document, TodaysStudio, seven

LORA = {"r": 16, "lora_alpha": 32, "lora_dropout": 0.05, "bias": "none", "task_type": "CAUSAL_LM"}


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with studio_in(tmp_path / "ours") as studio:
        yield studio


async def listed(studio: Studio, **fields: Any) -> list[pb.ConfigMetadata]:
    answer = await studio.stub.ListConfigs(pb.ListConfigsRequest(**fields), wait_for_ready=True)
    return list(answer.configs)


def said(configs: list[pb.ConfigMetadata]) -> list[tuple[str, str, str]]:
    """What a person sees of each, in an order of their own."""
    named = "axolotl_dataset_formats"
    return sorted(
        (c.type, c.description if c.type == named else "", json.dumps(json.loads(c.config)))
        for c in configs
    )


async def in_use(studio: Studio, file: Path) -> Document:
    """The export of a studio of today, which ships what ours ships, with a job that uses it."""
    shipped = [
        (c.type, c.description or None, json.dumps(json.loads(c.config), indent=1))
        for c in await listed(studio)
    ]
    theirs = TodaysStudio(file, shipped)
    [lora] = [
        row["id"] for row in theirs.export()["configs"]["data"] if row["type"] == "lora_config"
    ]
    theirs.insert("fine_tuning_jobs", id="job", lora_config_id=lora, lora_config=json.dumps(LORA))
    return theirs.export()


async def test_shipped_configs_are_listed_once_and_come_back_when_theirs_go(
    studio: Studio, tmp_path: Path
) -> None:
    ours = await listed(studio)
    document = await in_use(studio, tmp_path / "theirs.db")
    theirs = {row["id"] for row in document["configs"]["data"]}
    assert len(theirs) == len(ours) >= 24
    for _ in range(2):  # Once more changes nothing.
        await take(studio, document)
        assert {config.id for config in await listed(studio)} == theirs
        assert said(await listed(studio)) == said(ours)
    for config in ours:
        again = await studio.stub.GetConfig(pb.GetConfigRequest(id=config.id))
        assert again.config == config
    for id in theirs:
        await studio.stub.RemoveConfig(pb.RemoveConfigRequest(id=id))
        assert said(await listed(studio)) == said(ours)
    assert await listed(studio) == ours


async def test_narrowed_lists_have_each_shipped_config_once(studio: Studio, tmp_path: Path) -> None:
    ours = await listed(studio)
    document = await in_use(studio, tmp_path / "theirs.db")
    await take(studio, document)
    theirs = await listed(studio)
    assert {c.id for c in theirs}.isdisjoint(c.id for c in ours)
    for type in {config.type for config in ours}:
        wanted = [config for config in theirs if config.type == type]
        assert await listed(studio, type=type) == wanted
        assert await listed(studio, filter={"type": type}, page_size=1000) == wanted
    pages: list[pb.ConfigMetadata] = []
    token = ""
    while True:
        request = pb.ListConfigsRequest(page_size=7, page_token=token)
        page = await studio.stub.ListConfigs(request)
        pages += page.configs
        if not (token := page.next_page_token):
            break
    assert pages == theirs
    [used] = await listed(studio, fine_tuning_job_id="job")
    assert (used.type, used in theirs) == ("lora_config", True)


async def test_job_lists_the_hidden_config_that_it_used(studio: Studio, tmp_path: Path) -> None:
    [lora] = await listed(studio, type="lora_config")
    job = {"id": "of ours", "lora_config_id": lora.id}
    await take(studio, {"fine_tuning_jobs": {"data": [job]}})
    await take(studio, await in_use(studio, tmp_path / "theirs.db"))
    assert await listed(studio, fine_tuning_job_id="of ours") == [lora]


async def test_config_of_a_family_is_no_default_for_other_models(studio: Studio) -> None:
    [ours] = await listed(studio, type="lora_config")
    other = {"type": "lora_config", "is_default": 1, "model_family": "OtherForCausalLM"}
    rows = [
        {**other, "id": "first", "config": '{"r": 1}'},
        {**other, "id": "equal", "config": json.dumps(LORA)},
    ]
    (studio.project / "model").mkdir()
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
    (studio.project / "model/config.json").write_text(json.dumps(config))
    models = [{"id": "m", "type": "project", "name": "m", "location": "model"}]
    await take(studio, {"configs": {"data": rows}, "models": {"data": models}})
    assert [c.id for c in await listed(studio, type="lora_config")] == ["first", "equal"]
    fitting = await listed(studio, type="lora_config", model_id="m")
    assert [config.id for config in fitting] == [ours.id, "first", "equal"]


async def test_add_of_an_equal_config_finds_the_listed_one(studio: Studio, tmp_path: Path) -> None:
    await take(studio, await in_use(studio, tmp_path / "theirs.db"))
    [listed_lora] = await listed(studio, type="lora_config")
    request = pb.AddConfigRequest(type="lora_config", config=json.dumps(LORA))
    assert (await studio.stub.AddConfig(request)).config == listed_lora


@pytest.mark.parametrize(
    "row",
    [
        {"type": "lora_config", "config": json.dumps({**LORA, "r": 8}), "is_default": 1},
        {"type": "custom", "config": json.dumps(LORA), "is_default": 1},
        {"type": "lora_config", "config": json.dumps(LORA), "is_default": 0},
        {"type": "lora_config", "config": "{", "is_default": 1},
        {
            "type": "axolotl_dataset_formats",
            "description": "a format of theirs",
            "config": '{"question":"...","answer":"..."}',
            "is_default": 1,
        },
    ],
)
async def test_different_config_hides_no_shipped_one(studio: Studio, row: dict[str, Any]) -> None:
    ours = await listed(studio)
    await take(studio, {"configs": {"data": [{"id": "theirs", **row}]}})
    there = await listed(studio)
    assert [config for config in there if config.id != "theirs"] == ours
    assert len(there) == len(ours) + 1


async def test_export_has_both_configs_and_another_studio_lists_the_same(
    studio: Studio, tmp_path: Path
) -> None:
    ours = await listed(studio)
    document = await in_use(studio, tmp_path / "theirs.db")
    await take(studio, document)
    exported = await studio.export()
    ids = {row["id"] for row in seven(exported)["configs"]}
    assert ids == {row["id"] for row in seven(document)["configs"]} | {c.id for c in ours}
    async with studio_in(tmp_path / "other") as other:
        await take(other, exported)
        assert await listed(other) == await listed(studio)
        # Two studios of today that were merged into one bring two of each, which both stay.
        more = [row | {"id": str(uuid.uuid4())} for row in document["configs"]["data"]]
        await take(other, {"configs": {"data": more}})
        assert len(await listed(other)) == 2 * len(ours)
