"""The prompts service over gRPC, with the real datasets service as its peer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis import domains
from chassis.rpc import errors
from chassis.testing.services import exported_rows, put_rows, services, settings_in
from ft.proto.domains_pb2 import RemovePromptsOfDatasetRequest
from ft.proto.fine_tuning_studio_pb2 import (
    AddDatasetRequest,
    AddPromptRequest,
    GetPromptRequest,
    ListPromptsRequest,
    PromptMetadata,
    RemoveDatasetRequest,
    RemovePromptRequest,
)


class Studio:
    """Calls to the two services."""

    def __init__(self, folder: Path) -> None:
        self._settings = settings_in(folder, "test")
        self.project = self._settings.project
        self.datasets = domains.datasets(self._settings)
        self.prompts = domains.prompts(self._settings)

    async def close(self) -> None:
        await self.datasets.close()
        await self.prompts.close()

    async def dataset(self, name: str, header: str = "customer,intent") -> str:
        (self.project / f"{name}.csv").write_text(f"{header}\n")
        response = await self.datasets(
            lambda s: s.AddDataset,
            AddDatasetRequest(type="project_csv", name=name, location=f"{name}.csv"),
        )
        return response.dataset.id

    async def add(self, **fields: str) -> PromptMetadata:
        sent = {
            "id": "p-1",
            "name": "intents",
            "prompt_template": "{customer} -> {intent}",
            "input_template": "{customer} ->",
            "completion_template": " {intent}",
            **fields,
        }
        response = await self.prompts(
            lambda s: s.AddPrompt, AddPromptRequest(prompt=PromptMetadata(**sent))
        )
        return response.prompt

    async def names(self) -> list[str]:
        response = await self.prompts(lambda s: s.ListPrompts, ListPromptsRequest())
        return [prompt.name for prompt in response.prompts]


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with services(tmp_path, "datasets", "prompts"):
        studio = Studio(tmp_path)
        yield studio
        await studio.close()


async def test_prompt_of_conversations_names_their_column_alone(studio: Studio) -> None:
    id = await studio.dataset("talks", header="messages,note")
    names = ("prompt_template", "input_template", "completion_template")
    prompt = await studio.add(dataset_id=id, **dict.fromkeys(names, "{messages}"))
    assert [getattr(prompt, name) for name in names] == ["{messages}"] * 3


async def test_prompt_is_stored_under_the_callers_id(studio: Studio) -> None:
    dataset = await studio.dataset("d")
    added = await studio.add(dataset_id=dataset, name="  intents ")
    assert (added.id, added.name, added.type) == ("p-1", "intents", "in_place")
    got = await studio.prompts(lambda s: s.GetPrompt, GetPromptRequest(id="p-1"))
    assert got.prompt == added
    assert await studio.names() == ["intents"]


async def test_times_are_not_taken_from_the_caller(studio: Studio) -> None:
    sent = {"dataset_id": await studio.dataset("d"), "created_at": "1999", "updated_at": "1999"}
    added = await studio.add(**sent)
    assert added.created_at.endswith("Z")
    assert added.updated_at >= added.created_at > "2020"


async def test_add_names_every_wrong_field(studio: Studio) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.add(id="", name="  ", type="other", completion_template="", dataset_id="d")
    fields = {violation.field for violation in refused.value.violations}
    assert fields == {f"prompt.{name}" for name in ("id", "name", "type", "completion_template")}


async def test_empty_request_is_refused(studio: Studio) -> None:
    with pytest.raises(errors.InvalidArgument):
        await studio.prompts(lambda s: s.AddPrompt, AddPromptRequest())


@pytest.mark.parametrize(
    "template",
    [
        "{customer",
        "customer}",
        "{}",
        "{0}",
        "{customer.real}",
        "{customer[}",
        "{customer!x}",
        "{customer:{customer:{customer}}}",
        "{customer:" * 3000 + "}" * 3000,
    ],
)
async def test_malformed_template_is_refused(studio: Studio, template: str) -> None:
    dataset = await studio.dataset("d")
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.add(dataset_id=dataset, input_template=template)
    assert [violation.field for violation in refused.value.violations] == ["prompt.input_template"]
    assert await studio.names() == []


async def test_placeholders_that_are_no_column_are_named(studio: Studio) -> None:
    dataset = await studio.dataset("d")
    with pytest.raises(errors.InvalidArgument) as refused:
        await studio.add(
            dataset_id=dataset,
            prompt_template="{customer} {intnt} {intent:{width}}",
            completion_template="{label}",
        )
    found = {(v.field, v.description.split(" is not")[0]) for v in refused.value.violations}
    assert found == {
        ("prompt.prompt_template", "placeholder {intnt}"),
        ("prompt.prompt_template", "placeholder {width}"),
        ("prompt.completion_template", "placeholder {label}"),
    }
    assert "customer, intent" in refused.value.violations[0].description


async def test_escaped_braces_are_text(studio: Studio) -> None:
    dataset = await studio.dataset("d")
    added = await studio.add(dataset_id=dataset, prompt_template='{{"a": 1}} {customer!r:>9}')
    assert added.prompt_template == '{{"a": 1}} {customer!r:>9}'


async def test_dataset_must_exist(studio: Studio) -> None:
    with pytest.raises(errors.FailedPrecondition, match="dataset_id: dataset 'nope'"):
        await studio.add(dataset_id="nope")


async def test_id_and_name_must_be_new(studio: Studio) -> None:
    dataset = await studio.dataset("d")
    await studio.add(dataset_id=dataset)
    with pytest.raises(errors.AlreadyExists) as same_id:
        await studio.add(dataset_id=dataset, name="another")
    with pytest.raises(errors.AlreadyExists) as same_name:
        await studio.add(dataset_id=dataset, id="p-2", name=" intents")
    assert same_id.value.metadata["field"] == "prompt.id"
    assert same_name.value.metadata == {
        "field": "prompt.name",
        "holder_id": "p-1",
        "rule": "FT-013",
    }


async def test_removal_is_idempotent(studio: Studio) -> None:
    dataset = await studio.dataset("d")
    await studio.add(dataset_id=dataset)
    for _ in range(2):
        await studio.prompts(lambda s: s.RemovePrompt, RemovePromptRequest(id="p-1"))
    with pytest.raises(errors.NotFound, match="'p-1'"):
        await studio.prompts(lambda s: s.GetPrompt, GetPromptRequest(id="p-1"))


async def test_prompts_of_one_dataset_are_removed(studio: Studio) -> None:
    first, second = await studio.dataset("d1"), await studio.dataset("d2")
    await studio.add(dataset_id=first)
    await studio.add(dataset_id=second, id="p-2", name="kept")
    await studio.prompts(
        lambda s: s.RemovePromptsOfDataset, RemovePromptsOfDatasetRequest(dataset_id=first)
    )
    assert await studio.names() == ["kept"]


async def test_dataset_removal_takes_its_prompts_along_on_request(studio: Studio) -> None:
    dataset = await studio.dataset("d")
    await studio.add(dataset_id=dataset)
    await studio.datasets(lambda s: s.RemoveDataset, RemoveDatasetRequest(id=dataset))
    assert await studio.names() == ["intents"]
    await studio.datasets(
        lambda s: s.RemoveDataset, RemoveDatasetRequest(id=dataset, remove_prompts=True)
    )
    assert await studio.names() == []


async def test_datasets_service_that_is_down_is_named(tmp_path: Path) -> None:
    async with services(tmp_path, "prompts"):
        studio = Studio(tmp_path)
        with pytest.raises(errors.Unavailable) as refused:
            await studio.add(dataset_id="d")
        assert refused.value.metadata["service"] == "datasets"
        assert await studio.names() == []
        await studio.close()


@pytest.mark.parametrize("width", ["1001", "0" * 9 + "2000", "9" * 6_000])
async def test_placeholder_width_is_limited(studio: Studio, width: str) -> None:
    with pytest.raises(errors.InvalidArgument, match="wider than 1000 characters"):
        await studio.add(
            dataset_id=await studio.dataset("d"), prompt_template=f"{{customer:{width}}}"
        )


async def test_table_survives_an_export_and_an_import(tmp_path: Path) -> None:
    async with services(tmp_path / "a", "datasets", "prompts"):
        studio = Studio(tmp_path / "a")
        added = await studio.add(dataset_id=await studio.dataset("d"))
        rows = await exported_rows(tmp_path / "a", "prompts")
        await studio.close()
    async with services(tmp_path / "b", "prompts"):
        studio = Studio(tmp_path / "b")
        await put_rows(tmp_path / "b", "prompts", *rows)
        got = await studio.prompts(lambda s: s.GetPrompt, GetPromptRequest(id="p-1"))
        assert got.prompt == added
        await studio.close()


async def test_taken_name_is_refused_before_a_dataset_that_does_not_exist(studio: Studio) -> None:
    await studio.add(dataset_id=await studio.dataset("d"))
    with pytest.raises(errors.AlreadyExists) as refused:
        await studio.add(id="p-2", dataset_id="gone")
    assert refused.value.metadata["holder_id"] == "p-1"


async def test_prompt_of_a_removed_dataset_is_refused(studio: Studio) -> None:
    dataset = await studio.dataset("d")
    await studio.add(dataset_id=dataset)
    await studio.datasets(lambda s: s.RemoveDataset, RemoveDatasetRequest(id=dataset))
    with pytest.raises(errors.FailedPrecondition):
        await studio.add(id="p-2", name="other", dataset_id=dataset)
