"""Models of the hub, asked for at a server that answers as the hub does."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chassis import domains, errors
from chassis.testing import Process, settings_in
from ft.proto.domains_pb2 import GetModelFamilyRequest
from ft.proto.fine_tuning_studio_pb2 import AddModelRequest, ListModelsRequest, ModelMetadata

CONFIG = json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}).encode()
REFUSALS = {
    "none/there": (404, "RepoNotFound"),
    "closed/model": (403, "GatedRepo"),
    "broken/hub": (501, ""),
    "bad/token": (401, ""),
}


class Hub(BaseHTTPRequestHandler):
    """Knows one model, `good/model`, refuses those of REFUSALS, and one without a config."""

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _answer(self, body: bool) -> None:
        for name, (status, code) in REFUSALS.items():
            if name in self.path:
                return self._send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": "no"})
        if self.path.startswith("/api/models/"):
            return self._send(200, b'{"id": "good/model", "siblings": []}', {})
        if "good/model" in self.path:
            found = {"X-Repo-Commit": "0" * 40, "ETag": '"e"'}
            return self._send(200, CONFIG if body else b"", found, len(CONFIG))
        return self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": "0" * 40})

    def _send(
        self, status: int, content: bytes, headers: dict[str, str], length: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def folder(hub: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a models service that takes the server for the hub."""
    folder = tmp_path_factory.mktemp("hub")
    home = str(folder / "hf")
    with Process(folder, "models", HF_ENDPOINT=hub, HF_HUB_OFFLINE="0", HF_HOME=home):
        yield folder


class Studio:
    """Calls to the service."""

    def __init__(self, folder: Path) -> None:
        self.models = domains.models(settings_in(folder, "test", peer_wait_seconds=20.0))

    async def add(self, name: str) -> ModelMetadata:
        request = AddModelRequest(type="huggingface", huggingface_name=name)
        return (await self.models(lambda s: s.AddModel, request)).model

    async def family(self, name: str) -> str:
        request = GetModelFamilyRequest(name=name)
        return (await self.models(lambda s: s.GetModelFamily, request)).family


@pytest.fixture
async def studio(folder: Path) -> AsyncIterator[Studio]:
    studio = Studio(folder)
    yield studio
    await studio.models.close()


async def test_registers_a_model_once(studio: Studio) -> None:
    added = await studio.add("  good/model ")
    assert (added.type, added.name) == ("huggingface", "good/model")
    assert added.huggingface_model_name == "good/model"
    with pytest.raises(errors.AlreadyExists) as refused:
        await studio.add("good/model")
    assert refused.value.metadata == {"field": "name", "holder_id": added.id}


async def test_reads_the_family_from_the_config(studio: Studio) -> None:
    assert await studio.family("good/model") == "LlamaForCausalLM"


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("none/there", errors.InvalidArgument, "'none/there' is not a model on the hub"),
        ("not a name", errors.InvalidArgument, "'not a name' is not a model on the hub"),
        ("closed/model", errors.PermissionDenied, "set HUGGINGFACE_ACCESS_TOKEN"),
        ("bad/token", errors.PermissionDenied, "needs a token; set HUGGINGFACE_ACCESS_TOKEN"),
        ("broken/hub", errors.Unavailable, "the hub did not answer about model 'broken/hub'"),
    ],
)
async def test_says_why_a_model_cannot_be_registered(
    studio: Studio, name: str, kind: type[errors.Refusal], message: str
) -> None:
    with pytest.raises(kind, match=message):
        await studio.add(name)
    listed = await studio.models(lambda s: s.ListModels, ListModelsRequest())
    assert name not in {model.name for model in listed.models}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("none/there", errors.NotFound),
        ("", errors.NotFound),
        ("closed/model", errors.PermissionDenied),
        ("no/config", errors.FailedPrecondition),
    ],
)
async def test_says_why_a_family_cannot_be_told(
    studio: Studio, name: str, kind: type[errors.Refusal]
) -> None:
    with pytest.raises(kind):
        await studio.family(name)
