"""A hundred clients that add the same at once: one of them does, the others are told who did."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from random import Random

import grpc
import pytest

from ft import api
from ft.client import FineTuningStudioClient, StudioError
from tests.e2e.conftest import Studio, serving
from tests.processes import starts_processes

CLIENTS = 100
Add = Callable[[FineTuningStudioClient, int], object]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
@starts_processes
def busy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Studio]:
    with ExitStack() as stack:
        variables = {}
        if request.param == "postgresql":
            new_database = request.getfixturevalue("new_postgres_database")
            variables["FTS_DATABASE_URL"] = stack.enter_context(new_database())
        studio = stack.enter_context(serving(tmp_path_factory.mktemp("busy"), **variables))
        (studio.project / "rows.csv").write_text("a,b\n1,2\n")
        (studio.project / "adapter").mkdir()
        with studio.client() as client:
            model = api.AddModelRequest(type="project", location="starter/model", name="base")
            client.AddModel(model)
            client.AddDataset(dataset("base"))
        yield studio


def dataset(name: str) -> api.AddDatasetRequest:
    return api.AddDatasetRequest(type="project_csv", location="rows.csv", name=name)


def prompt(client: FineTuningStudioClient, number: int) -> api.AddPromptRequest:
    fields = ("prompt_template", "input_template", "completion_template")
    return api.AddPromptRequest(
        prompt=api.PromptMetadata(
            id=f"prompt-{number}",
            name="same",
            dataset_id=client.get_datasets()[0].id,
            **dict.fromkeys(fields, "{a}"),
        )
    )


def adapter(client: FineTuningStudioClient) -> api.AddAdapterRequest:
    model_id = client.get_models()[0].id
    return api.AddAdapterRequest(name="same", model_id=model_id, location="adapter")


ADDS: dict[str, Add] = {
    "datasets": lambda client, _: client.AddDataset(dataset("same")).dataset,
    "models": lambda client, _: (
        client.AddModel(
            api.AddModelRequest(type="project", location="starter/model", name="same")
        ).model
    ),
    "prompts": lambda client, number: client.AddPrompt(prompt(client, number)).prompt,
    "adapters": lambda client, _: client.AddAdapter(adapter(client)).adapter,
}


def at_once(studio: Studio, add: Add) -> list[object]:
    """What each of the clients got: what it added, or its refusal."""

    def one(number: int) -> object:
        with studio.client() as client:
            try:
                return add(client, number)
            except StudioError as error:
                return error

    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(one, range(CLIENTS)))


@pytest.mark.parametrize("kind", ADDS)
def test_name_goes_to_one_of_a_hundred_requests(busy: Studio, kind: str) -> None:
    outcomes = at_once(busy, ADDS[kind])
    refused = [one for one in outcomes if isinstance(one, StudioError)]
    assert {(error.code, error.metadata["field"]) for error in refused} == {
        (grpc.StatusCode.ALREADY_EXISTS, "prompt.name" if kind == "prompts" else "name")
    }
    assert len(refused) == CLIENTS - 1
    with busy.client() as client:
        listed = [one for one in getattr(client, f"get_{kind}")() if one.name == "same"]
    [added] = [one for one in outcomes if not isinstance(one, StudioError)]
    assert [one.id for one in listed] == [added.id]  # type: ignore[attr-defined]
    assert {error.metadata["holder_id"] for error in refused} == {listed[0].id}


def test_longest_name_fits_every_index(busy: Studio) -> None:
    # 2,046 bytes that no database can compress.
    name = "".join(Random(7).choices([chr(n) for n in range(0x4E00, 0x9000)], k=682))
    with busy.client() as client:
        assert client.AddDataset(dataset(name)).dataset.name == name
        with pytest.raises(StudioError, match="name: has 2049 bytes"):
            client.AddDataset(dataset(f"{name}xyz"))


def test_request_repeated_a_hundred_times_is_one(busy: Studio) -> None:
    request = dataset("repeated")
    request.request_id = "asked a hundred times"
    outcomes = at_once(busy, lambda client, _: client.AddDataset(request).dataset.id)
    assert not [one for one in outcomes if isinstance(one, StudioError)]
    assert len(set(outcomes)) == 1


@pytest.mark.parametrize(
    ("type", "spellings"),
    [
        ("lora_config", ('{"r": 4, "lora_alpha": 8}', '{ "lora_alpha":8.0,"r":4.00 }')),
        ("axolotl", ("lr: 0.0002 # slow\nr: 4", "{r: 4.0, lr: 2.0e-4}")),
    ],
)
def test_config_added_a_hundred_times_is_one(
    busy: Studio, type: str, spellings: tuple[str, str]
) -> None:
    def add(client: FineTuningStudioClient, number: int) -> object:
        return client.AddConfig(api.AddConfigRequest(type=type, config=spellings[number % 2]))

    outcomes = at_once(busy, add)
    assert not [one for one in outcomes if isinstance(one, StudioError)]
    assert len({one.config.id for one in outcomes}) == 1  # type: ignore[attr-defined]
