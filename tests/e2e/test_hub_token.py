"""The hub's token reaches the hub, and nothing that the studio writes or says."""

from collections.abc import Iterator

import pytest

from chassis.testing.hub import Repo, TestHub, hub
from ft.api import (
    AddConfigRequest,
    AddDatasetRequest,
    AddModelRequest,
    ExportDatabaseRequest,
    ListDatasetsRequest,
    ListModelsRequest,
)
from ft.client import FineTuningStudioClient
from tests.e2e.conftest import Studio, serving
from tests.processes import starts_processes

# Not of the look by which logs know a token of the hub.
TOKEN = "planted-0123456789-token"
MODEL = {"config.json": b'{"architectures": ["LlamaForCausalLM"]}'}
DATA = {"README.md": b"# Data", "train.csv": b"a\n1\n"}
REPOS = [
    Repo("model", "gated/model", MODEL, gated=True, readers=(TOKEN,)),
    Repo("model", "closed/model", MODEL, status=403),
    Repo("model", "broken/model", MODEL, status=500),
    Repo("dataset", "gated/data", DATA, gated=True, readers=(TOKEN,)),
    Repo("dataset", "closed/data", DATA, status=403),
    Repo("dataset", "broken/data", DATA, where="/tree/", status=500),
]


@pytest.fixture(scope="module")
def served() -> Iterator[TestHub]:
    with hub(*REPOS, tokens=(TOKEN,)) as served:
        yield served


@pytest.fixture(scope="module")
@starts_processes
def studio(served: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("token")
    told = {"HUGGINGFACE_ACCESS_TOKEN": TOKEN, "FTS_LOG_LEVEL": "debug"}
    with serving(folder / "home", **served.environment(str(folder / "hf")), **told) as studio:
        yield studio


def test_hub_token_reaches_the_hub_and_nothing_else(studio: Studio, served: TestHub) -> None:
    with studio.client() as client:
        said = [*answers(client), *refusals(client)]
    assert {one.authorization for one in served.asked_about("gated/")} == {f"Bearer {TOKEN}"}
    assert all(TOKEN not in one for one in said)
    written = [file for file in studio.home.parent.rglob("*") if file.is_file()]
    assert studio.home / "logs" in {file.parent for file in written}
    assert not [file for file in written if TOKEN.encode() in file.read_bytes()]


def answers(client: FineTuningStudioClient) -> list[str]:
    """What the studio says of what the token may read."""
    model = AddModelRequest(type="huggingface", huggingface_name="gated/model")
    data = AddDatasetRequest(type="huggingface", huggingface_name="gated/data")
    config = AddConfigRequest(type="lora_config", config='{"r": 8}', description="gated/model")
    return [
        str(client.AddModel(model)),
        str(client.AddDataset(data)),
        str(client.AddConfig(config)),
        str(client.ListModels(ListModelsRequest())),
        str(client.ListDatasets(ListDatasetsRequest())),
        str(client.ExportDatabase(ExportDatabaseRequest())),
    ]


def refusals(client: FineTuningStudioClient) -> Iterator[str]:
    """What it says of what the token may not read, and of what is broken."""
    for name in ("closed", "broken"):
        model, data = f"{name}/model", f"{name}/data"
        calls = [
            (client.AddModel, AddModelRequest(type="huggingface", huggingface_name=model)),
            (client.AddDataset, AddDatasetRequest(type="huggingface", huggingface_name=data)),
            (
                client.AddConfig,
                AddConfigRequest(type="lora_config", config="{}", description=model),
            ),
        ]
        for call, request in calls:
            with pytest.raises(ValueError, match=name) as refused:
                call(request)
            yield repr(vars(refused.value)) + str(refused.value)
