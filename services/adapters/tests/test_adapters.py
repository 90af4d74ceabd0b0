"""The adapters service over gRPC, with the real services that own what an adapter refers to."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis import domains
from chassis.rpc import errors
from chassis.testing.services import exported_rows, put_rows, services, settings_in
from chassis.testing.weights import lora, write_adapter, write_zeros
from ft.proto.fine_tuning_studio_pb2 import (
    AdapterMetadata,
    AddAdapterRequest,
    AddModelRequest,
    GetAdapterRequest,
    ListAdaptersRequest,
    RemoveAdapterRequest,
)

OWNERS = ("models", "prompts", "fine_tuning")


class Studio:
    """Calls to the services."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder, "test")
        self.folder = folder
        self.project = settings.project
        self.adapters = domains.adapters(settings)
        self.models = domains.models(settings)
        self.prompts = domains.prompts(settings)
        self.fine_tuning = domains.fine_tuning(settings)

    async def close(self) -> None:
        for peer in (self.adapters, self.models, self.prompts, self.fine_tuning):
            await peer.close()

    async def model(self) -> str:
        (self.project / "base").mkdir()
        (self.project / "base" / "config.json").write_text('{"model_type": "llama"}')
        response = await self.models(
            lambda s: s.AddModel, AddModelRequest(type="project", location="base")
        )
        return response.model.id

    async def add(self, **fields: str) -> AdapterMetadata:
        (self.project / "tuned").mkdir(exist_ok=True)
        sent = {"type": "project", "name": "intents", "location": "tuned", **fields}
        response = await self.adapters(lambda s: s.AddAdapter, AddAdapterRequest(**sent))
        return response.adapter

    async def names(self) -> list[str]:
        response = await self.adapters(lambda s: s.ListAdapters, ListAdaptersRequest())
        return [adapter.name for adapter in response.adapters]


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with services(tmp_path, "adapters", *OWNERS):
        studio = Studio(tmp_path)
        yield studio
        await studio.close()


async def test_adapter_of_a_known_model_is_registered(studio: Studio) -> None:
    model = await studio.model()
    added = await studio.add(model_id=model, name=" intents ", type="")
    assert (added.name, added.type, added.model_id) == ("intents", "project", model)
    got = await studio.adapters(lambda s: s.GetAdapter, GetAdapterRequest(id=added.id))
    assert got.adapter == added
    assert await studio.names() == ["intents"]


async def test_adapter_is_registered_with_its_job_and_prompt(studio: Studio) -> None:
    await put_rows(studio.folder, "prompts", {"id": "p-1"})
    await put_rows(studio.folder, "fine_tuning", {"id": "j-1", "state": "SUCCEEDED"})
    added = await studio.add(
        model_id=await studio.model(), fine_tuning_job_id="j-1", prompt_id="p-1"
    )
    assert (added.fine_tuning_job_id, added.prompt_id) == ("j-1", "p-1")


async def test_add_names_every_wrong_field(studio: Studio) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.add(type="other", name=" ", model_id="", location="missing")
    fields = {violation.field for violation in refused.value.violations}
    assert fields == {"type", "name", "model_id", "location"}


async def test_location_must_be_a_directory_of_the_project(studio: Studio) -> None:
    model = await studio.model()
    (studio.project / "file").touch()
    for location in ("file", "..", "/etc", "  "):
        with pytest.raises(errors.InvalidArgument) as refused:
            await studio.add(model_id=model, location=location)
        assert [v.field for v in refused.value.violations] == ["location"]


async def test_hub_adapter_needs_its_name_on_the_hub(studio: Studio) -> None:
    model = await studio.model()
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.add(type="huggingface", model_id=model, location="")
    assert [v.field for v in refused.value.violations] == ["huggingface_name"]


@pytest.mark.parametrize("field", ["model_id", "fine_tuning_job_id", "prompt_id"])
async def test_references_must_exist(studio: Studio, field: str) -> None:
    model = await studio.model()
    with pytest.raises(errors.FailedPrecondition, match=f"{field}: .*'nope'") as refused:
        await studio.add(**{"model_id": model, field: "nope"})
    assert [v.field for v in refused.value.violations] == [field]
    assert await studio.names() == []


@pytest.mark.parametrize("away", OWNERS)
async def test_domain_that_is_down_is_named(tmp_path: Path, away: str) -> None:
    async with services(tmp_path, "adapters", *(set(OWNERS) - {away})):
        studio = Studio(tmp_path)
        if away != "prompts":
            await put_rows(tmp_path, "prompts", {"id": "p-1"})
        if away != "fine_tuning":
            await put_rows(tmp_path, "fine_tuning", {"id": "j-1", "state": "FAILED"})
        model = "m-1" if away == "models" else await studio.model()
        with pytest.raises(errors.Unavailable) as refused:
            await studio.add(model_id=model, prompt_id="p-1", fine_tuning_job_id="j-1")
        assert refused.value.metadata["service"] == away
        assert await studio.names() == []
        await studio.close()


async def test_job_that_reports_twice_finds_its_own_adapter(studio: Studio) -> None:
    model = await studio.model()
    added = await studio.add(model_id=model)
    with pytest.raises(errors.AlreadyExists) as refused:
        await studio.add(model_id=model)
    assert refused.value.metadata == {"field": "name", "holder_id": added.id, "rule": "FT-013"}
    assert await studio.names() == ["intents"]


async def test_removal_is_idempotent_and_leaves_the_files(studio: Studio) -> None:
    added = await studio.add(model_id=await studio.model())
    for _ in range(2):
        await studio.adapters(lambda s: s.RemoveAdapter, RemoveAdapterRequest(id=added.id))
    with pytest.raises(errors.NotFound, match=added.id):
        await studio.adapters(lambda s: s.GetAdapter, GetAdapterRequest(id=added.id))
    assert (studio.project / "tuned").is_dir()


async def test_table_survives_an_export_and_an_import(studio: Studio) -> None:
    added = await studio.add(model_id=await studio.model())
    rows = await exported_rows(studio.folder, "adapters")
    await studio.adapters(lambda s: s.RemoveAdapter, RemoveAdapterRequest(id=added.id))
    for _ in range(2):
        await put_rows(studio.folder, "adapters", *rows)
    got = await studio.adapters(lambda s: s.GetAdapter, GetAdapterRequest(id=added.id))
    assert got.adapter == added
    assert await studio.names() == ["intents"]


@pytest.mark.parametrize(
    ("file", "content", "refused"),
    [
        ("manifest.json", {"base_model": {"name": "a/b", "commit": "c"}}, False),
        ("manifest.json", {"base_model": {"name": "a/c"}}, True),
        ("adapter_config.json", {"base_model_name_or_path": "a/b"}, False),
        ("adapter_config.json", {"base_model_name_or_path": "a/c"}, True),
        # A path means nothing on another machine, and no name at all says nothing.
        ("adapter_config.json", {"base_model_name_or_path": "/models/c"}, False),
        ("adapter_config.json", {"base_model_name_or_path": "tuned/base"}, False),
        ("adapter_config.json", {"base_model_name_or_path": None}, False),
        ("adapter_config.json", ["no object"], False),
    ],
)
async def test_adapter_of_another_model_of_the_hub_is_refused(
    studio: Studio, file: str, content: object, refused: bool
) -> None:
    row = {"id": "m", "type": "huggingface", "name": "a/b", "huggingface_model_name": "a/b"}
    await put_rows(studio.folder, "models", row)
    (studio.project / "tuned" / "base").mkdir(parents=True)
    (studio.project / "tuned" / file).write_text(json.dumps(content))

    if not refused:
        assert (await studio.add(model_id="m")).model_id == "m"
        return
    with pytest.raises(errors.InvalidArgument, match="was trained on a/c") as caught:
        await studio.add(model_id="m")
    assert [(one.field, one.rule) for one in caught.value.violations] == [("model_id", "FT-209")]
    assert await studio.names() == []


@pytest.mark.parametrize(
    ("rows", "refused"), [(128, False), (256, True)], ids=["of the base", "of a larger base"]
)
async def test_adapter_whose_weights_do_not_fit_the_base_is_refused(
    studio: Studio, rows: int, refused: bool
) -> None:
    model = await studio.model()
    base = {f"model.layers.0.self_attn.{name}.weight": (128, 128) for name in ("q_proj", "o_proj")}
    write_zeros(studio.project / "base/model.safetensors", base)
    tuned = lora({"model.layers.0.self_attn.q_proj": (rows, 128)})
    write_adapter(studio.project / "tuned", tuned, ["q_proj"])

    if not refused:
        assert (await studio.add(model_id=model)).location == "tuned"
        return
    with pytest.raises(errors.InvalidArgument, match=r"lora_A\.weight \(8x256\)") as caught:
        await studio.add(model_id=model)
    assert [(one.field, one.rule) for one in caught.value.violations] == [("model_id", "FT-224")]
    assert await studio.names() == []
