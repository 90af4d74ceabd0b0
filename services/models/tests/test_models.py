"""The models service over gRPC: registered models and their families."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis import domains
from chassis.rpc import errors
from chassis.testing.services import exported_rows, put_rows, services, settings_in
from ft.proto.domains_pb2 import GetModelFamilyRequest
from ft.proto.fine_tuning_studio_pb2 import (
    AddModelRequest,
    GetModelRequest,
    ListModelsRequest,
    ModelMetadata,
    RemoveModelRequest,
)


class Studio:
    """Calls to the service."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder, "test")
        self.folder = folder
        self.project = settings.project
        self.models = domains.models(settings)

    def directory(self, name: str, config: str = '{"architectures": ["GPT2LMHeadModel"]}') -> str:
        (self.project / name).mkdir(parents=True)
        (self.project / name / "config.json").write_text(config)
        return name

    async def add(self, **fields: str) -> ModelMetadata:
        response = await self.models(lambda s: s.AddModel, AddModelRequest(**fields))
        return response.model

    async def family(self, **model: str) -> str:
        response = await self.models(lambda s: s.GetModelFamily, GetModelFamilyRequest(**model))
        return response.family

    async def names(self) -> list[str]:
        response = await self.models(lambda s: s.ListModels, ListModelsRequest())
        return [model.name for model in response.models]


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with services(tmp_path, "models"):
        studio = Studio(tmp_path)
        yield studio
        await studio.models.close()


async def test_directory_is_registered(studio: Studio) -> None:
    added = await studio.add(type="project", location=studio.directory("models/base"))
    assert (added.name, added.location, added.framework) == ("base", "models/base", "pytorch")
    got = await studio.models(lambda s: s.GetModel, GetModelRequest(id=added.id))
    assert got.model == added
    named = await studio.add(type="project", location="models/base", name=" other ")
    assert named.name == "other"
    assert await studio.names() == ["base", "other"]


async def test_names_are_unique(studio: Studio) -> None:
    first = await studio.add(type="project", location=studio.directory("a/base"))
    with pytest.raises(errors.AlreadyExists) as refused:
        await studio.add(type="project", location=studio.directory("b/base"))
    assert refused.value.metadata == {"field": "name", "holder_id": first.id, "rule": "FT-013"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "config.json line 1: not JSON"),
        ("[]", "config.json must hold a JSON object"),
        ("{}", "config.json names neither `architectures` nor a `model_type`"),
        ('{"architectures": []}', "config.json names neither"),
        ("[" * 100_000, "config.json cannot be read"),
        ("9" * 5_000, "config.json cannot be read: Exceeds the limit"),
        (" " * 17_000_000, "config.json has 17000000 bytes; 16777216 are allowed"),
    ],
)
async def test_directory_without_a_usable_config_is_refused(
    studio: Studio, config: str, message: str
) -> None:
    location = studio.directory("base", config)
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.add(type="project", location=location)
    [violation] = refused.value.violations
    assert violation.field == "location"
    assert message in violation.description
    assert await studio.names() == []


async def test_location_must_be_a_directory_of_the_project(studio: Studio) -> None:
    (studio.project / "empty").mkdir()
    (studio.project / "endless").mkdir()
    (studio.project / "endless" / "config.json").symlink_to("/dev/zero")
    for location, message in (
        ("", "is required"),
        ("missing", "is not an existing directory"),
        ("/etc", "lies outside"),
        ("empty", "has no config.json"),
        ("endless", "has no config.json"),
    ):
        with pytest.raises(errors.InvalidArgument, match=f"location: .*{message}"):
            await studio.add(type="project", location=location)


async def test_types_name_the_field_that_they_need(studio: Studio) -> None:
    for type, field in (
        ("huggingface", "huggingface_name"),
        ("model_registry", "model_registry_id"),
        ("project", "location"),
        ("other", "type"),
    ):
        with pytest.raises(errors.InvalidArgument) as refused:
            await studio.add(type=type)
        assert [v.field for v in refused.value.violations] == [field]


async def test_missing_workspace_is_reported(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CDSW_API_URL", raising=False)
    with pytest.raises(errors.FailedPrecondition, match="no workspace is configured"):
        await studio.add(type="model_registry", model_registry_id="r-1")


async def test_family_is_found_by_id_and_by_name(studio: Studio) -> None:
    llama = studio.directory("llama", '{"architectures": ["LlamaForCausalLM", "Other"]}')
    added = await studio.add(type="project", location=llama)
    assert await studio.family(model_id=added.id) == "LlamaForCausalLM"
    assert await studio.family(name="llama") == "LlamaForCausalLM"


async def test_model_without_architectures_has_no_family(studio: Studio) -> None:
    plain = studio.directory("plain", '{"model_type": "llama"}')
    added = await studio.add(type="project", location=plain)
    assert await studio.family(model_id=added.id) == ""
    row = {"id": "m-1", "type": "model_registry", "name": "r"}
    await put_rows(studio.folder, "models", row)
    assert await studio.family(model_id="m-1") == ""


async def test_unknown_family_has_its_reason(studio: Studio) -> None:
    with pytest.raises(errors.NotFound, match="model 'nope'"):
        await studio.family(model_id="nope")
    added = await studio.add(type="project", location=studio.directory("base"))
    (studio.project / "base" / "config.json").unlink()
    with pytest.raises(errors.FailedPrecondition, match=r"'base' has no config\.json"):
        await studio.family(model_id=added.id)


async def test_removal_is_idempotent_and_leaves_the_files(studio: Studio) -> None:
    added = await studio.add(type="project", location=studio.directory("base"))
    for _ in range(2):
        await studio.models(lambda s: s.RemoveModel, RemoveModelRequest(id=added.id))
    with pytest.raises(errors.NotFound, match=added.id):
        await studio.models(lambda s: s.GetModel, GetModelRequest(id=added.id))
    assert (studio.project / "base" / "config.json").is_file()


async def test_table_survives_an_export_and_an_import(studio: Studio) -> None:
    added = await studio.add(type="project", location=studio.directory("base"))
    rows = await exported_rows(studio.folder, "models")
    await studio.models(lambda s: s.RemoveModel, RemoveModelRequest(id=added.id))
    await put_rows(studio.folder, "models", *rows)
    got = await studio.models(lambda s: s.GetModel, GetModelRequest(id=added.id))
    assert got.model == added
