"""Models of the hub, asked for at a server that answers as the hub does."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from grpc import StatusCode, aio

from chassis import domains
from chassis.rpc import errors
from chassis.testing.hub import COMMIT, Repo, TestHub, hub
from chassis.testing.services import ServiceProcess, settings_in
from chassis.testing.troubles import TROUBLES, troubled
from ft.proto import domains_pb2_grpc
from ft.proto.domains_pb2 import GetModelFamilyRequest
from ft.proto.fine_tuning_studio_pb2 import (
    AddModelRequest,
    ListModelsRequest,
    ModelMetadata,
    RemoveModelRequest,
)
from services.models import rules
from tests.processes import starts_processes

pytestmark = pytest.mark.starts_processes

TOKEN = "token-of-the-models-tests"
CONFIG = json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}).encode()
FILES = {"config.json": CONFIG}
SECONDS = 3.0
REPOS = [
    *troubled("model", FILES),
    Repo("model", "good/model", FILES),
    Repo("model", "gated/open", FILES, gated=True, readers=(TOKEN,)),
    Repo("model", "gated/empty", {}, gated=True, readers=(TOKEN,)),
    Repo("model", "private/open", FILES, private=True, readers=(TOKEN,)),
    Repo("model", "large/files", FILES, linked=True),
    Repo("model", "no/config", {"README.md": b""}),
    Repo("model", "bad/config", {"config.json": b"{"}),
    Repo("model", "broken/page", FILES, fault="not_json"),
    Repo("model", "broken/short", FILES, fault="truncated"),
    Repo("model", "broken/endless", FILES, fault="endless"),
]


class Studio:
    """Calls to the service, and the hub that it asks."""

    def __init__(self, folder: Path, asked: TestHub) -> None:
        settings = settings_in(folder, "test", peer_wait_seconds=20.0)
        self.models = domains.models(settings)
        self.address = settings.address_of("models")
        self.hub = asked

    async def add(self, name: str) -> ModelMetadata:
        request = AddModelRequest(type="huggingface", huggingface_name=name)
        return (await self.models(lambda s: s.AddModel, request)).model

    async def family(self, name: str) -> str:
        request = GetModelFamilyRequest(name=name)
        return (await self.models(lambda s: s.GetModelFamily, request)).family

    async def names(self) -> set[str]:
        listed = await self.models(lambda s: s.ListModels, ListModelsRequest())
        return {model.name for model in listed.models}

    async def forget(self) -> None:
        """Empties the list, and the record of what the hub was asked."""
        listed = await self.models(lambda s: s.ListModels, ListModelsRequest())
        for one in listed.models:
            await self.models(lambda s: s.RemoveModel, RemoveModelRequest(id=one.id))
        self.hub.asked.clear()


@pytest.fixture(scope="module")
def served() -> Iterator[TestHub]:
    with hub(*REPOS, tokens=(TOKEN,)) as served:
        yield served


@pytest.fixture(scope="module")
@starts_processes
def process(served: TestHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with started(served, tmp_path_factory.mktemp("hub"), TOKEN) as process:
        yield process


def started(served: TestHub, folder: Path, token: str, **more: str) -> ServiceProcess:
    """A models service that asks this hub with the token, in the folder."""
    environment = {
        **served.environment(str(folder / "hf")),
        "HUGGINGFACE_ACCESS_TOKEN": token,
        "FTS_HUB_SECONDS": str(SECONDS),
        "FTS_LOG_LEVEL": "debug",
        **more,
    }
    return ServiceProcess(folder, "models", **environment)


async def studio_of(process: ServiceProcess, served: TestHub) -> Studio:
    """With the hub's libraries imported, which takes some of the first question's time."""
    await process.serving()
    studio = Studio(process.settings.home, served)
    while True:
        with suppress(errors.Unavailable):
            await studio.family("good/model")
            return studio


@pytest.fixture
async def studio(process: ServiceProcess, served: TestHub) -> AsyncIterator[Studio]:
    studio = await studio_of(process, served)
    await studio.forget()
    yield studio
    await studio.models.close()
    log = process.log.read_text()
    assert TOKEN not in log
    assert all(line.startswith("{") for line in log.splitlines())


async def test_model_is_registered_once(studio: Studio) -> None:
    added = await studio.add("  good/model ")
    assert (added.type, added.name) == ("huggingface", "good/model")
    assert (added.huggingface_model_name, added.commit) == ("good/model", COMMIT)
    with pytest.raises(errors.AlreadyExists) as refused:
        await studio.add("good/model")
    assert refused.value.metadata["holder_id"] == added.id


@pytest.mark.parametrize("name", ["gated/open", "gated/empty", "private/open", "large/files"])
async def test_token_gives_access_to_gated_repositories(studio: Studio, name: str) -> None:
    assert (await studio.add(name)).name == name
    asked = studio.hub.asked_about(name)
    assert {one.authorization for one in asked} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("name", ["good/model", "gated/open", "private/open", "large/files"])
async def test_family_is_read_from_the_config(studio: Studio, name: str) -> None:
    assert await studio.family(name) == "LlamaForCausalLM"


async def test_token_is_sent_to_the_hub_alone(studio: Studio) -> None:
    assert await studio.family("large/files") == "LlamaForCausalLM"
    assert {one.authorization for one in studio.hub.asked_of_storage} == {""}


@pytest.mark.parametrize("name", [*TROUBLES, "broken/page", "broken/short", "broken/endless"])
async def test_refused_hub_model_has_its_reason(studio: Studio, name: str) -> None:
    kind, reason, text = TROUBLES.get(name, TROUBLES["broken/reset"])
    if kind is errors.NotFound:
        kind, reason = errors.InvalidArgument, "INVALID_ARGUMENT"
    with pytest.raises(kind) as refused:
        await studio.add(name)
    assert type(refused.value) is kind
    assert refused.value.code_reason == reason
    assert repr(name) in refused.value.message
    assert text in refused.value.message
    assert TOKEN not in repr(vars(refused.value))
    if kind is errors.InvalidArgument:
        (violation,) = refused.value.violations
        assert (violation.field, violation.rule) == ("huggingface_name", rules.ON_HUB.id)
    assert name not in await studio.names()


@pytest.mark.parametrize("name", ["not a name", "a/b/c", "../up", "a" * 200, "é/è"])
async def test_impossible_names_are_not_sent_to_the_hub(studio: Studio, name: str) -> None:
    with pytest.raises(errors.InvalidArgument, match="is not a model on the hub"):
        await studio.add(name)
    assert not studio.hub.asked_about(name)


@pytest.mark.parametrize("name", [*TROUBLES, "", "broken/short", "broken/endless"])
async def test_unknown_family_has_its_reason(studio: Studio, name: str) -> None:
    kind, reason, text = TROUBLES.get(name, TROUBLES["broken/reset" if name else "none/there"])
    with pytest.raises(kind) as refused:
        await studio.family(name)
    assert type(refused.value) is kind
    assert refused.value.code_reason == reason
    assert text in refused.value.message
    assert TOKEN not in repr(vars(refused.value))


@pytest.mark.parametrize("name", ["no/config", "bad/config", "broken/page"])
async def test_config_without_a_family_is_named(studio: Studio, name: str) -> None:
    with pytest.raises(errors.FailedPrecondition, match=rf"{name}.*config\.json") as refused:
        await studio.family(name)
    assert refused.value.code_reason == "MODEL_CONFIG_UNUSABLE"


async def test_other_calls_are_answered_while_the_hub_hangs(studio: Studio) -> None:
    adding = asyncio.create_task(studio.add("slow/start"))
    await asyncio.to_thread(studio.hub.wait_for, "slow/start")
    await studio.names()
    assert not adding.done()
    with pytest.raises(errors.Unavailable):
        await adding


async def test_short_deadline_still_gets_the_reason(studio: Studio) -> None:
    """The hub is waited for a little less than the call may take."""
    async with aio.insecure_channel(studio.address) as channel:
        stub = domains_pb2_grpc.ModelsStub(channel)
        request = GetModelFamilyRequest(name="slow/start")
        with pytest.raises(aio.AioRpcError, match="did not answer") as refused:
            await stub.GetModelFamily(request, timeout=SECONDS / 3)
    assert refused.value.code() is StatusCode.UNAVAILABLE


async def test_hanging_hub_requests_are_limited(served: TestHub, tmp_path: Path) -> None:
    with started(served, tmp_path, TOKEN, FTS_HUB_QUESTIONS="2") as process:
        studio = await studio_of(process, served)
        asking = [studio.add("slow/start") for _ in range(3)]
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert sorted(type(one).__name__ for one in outcomes) == [
            "ResourceExhausted",
            "Unavailable",
            "Unavailable",
        ]
        await studio_of(process, served)
        await studio.models.close()


async def test_service_stops_while_the_hub_hangs(served: TestHub, tmp_path: Path) -> None:
    served.asked.clear()
    with started(served, tmp_path, TOKEN, FTS_HUB_SECONDS="25", FTS_GRACE_SECONDS="0.2") as process:
        studio = await studio_of(process, served)
        adding = asyncio.create_task(studio.add("slow/start"))
        await asyncio.to_thread(served.wait_for, "slow/start")
        process.terminate()
        assert await asyncio.to_thread(process.wait, 10) == 0
        with pytest.raises(errors.Unavailable):
            await adding
        await studio.models.close()


@pytest.mark.parametrize(
    ("token", "reason", "text"),
    [
        ("wrong-token", "HUB_TOKEN_REFUSED", "this HUGGINGFACE_ACCESS_TOKEN"),
        ("wrong\ttoken", "HUB_TOKEN_REFUSED", "HUGGINGFACE_ACCESS_TOKEN is not valid"),
        ("wröng-token", "HUB_TOKEN_REFUSED", "HUGGINGFACE_ACCESS_TOKEN is not valid"),
    ],
)
async def test_wrong_token_is_named_without_its_value(
    served: TestHub, tmp_path: Path, token: str, reason: str, text: str
) -> None:
    with started(served, tmp_path, token) as process:
        await process.serving()
        studio = Studio(tmp_path, served)
        for asking in (studio.add("good/model"), studio.family("good/model")):
            with pytest.raises(errors.PermissionDenied, match=text) as refused:
                await asking
            assert refused.value.code_reason == reason
            assert token not in repr(vars(refused.value))
        assert token not in process.log.read_text()
        await studio.models.close()


async def test_token_from_a_file_may_end_in_a_new_line(served: TestHub, tmp_path: Path) -> None:
    with started(served, tmp_path, f"{TOKEN}\n") as process:
        studio = await studio_of(process, served)
        assert (await studio.add("gated/open")).name == "gated/open"
        await studio.models.close()


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("gated/open", errors.PermissionDenied, "is gated"),
        ("private/open", errors.InvalidArgument, "a private one is seen only with"),
        ("denied/403", errors.PermissionDenied, "needs a token; set HUGGINGFACE_ACCESS_TOKEN"),
        ("none/there", errors.InvalidArgument, "is not a model on the hub"),
    ],
)
async def test_refusal_says_that_a_token_may_help(
    served: TestHub, tmp_path: Path, name: str, kind: type[errors.Refusal], text: str
) -> None:
    with started(served, tmp_path, "") as process:
        await process.serving()
        studio = Studio(tmp_path, served)
        with pytest.raises(kind, match=text):
            await studio.add(name)
        await studio.models.close()
