"""Requests to add something, asked again with the id that they came with."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from chassis.config import Settings
from chassis.domains import DOMAIN_SERVICES
from chassis.rpc import errors, rules
from chassis.rpc.peers import Peer
from chassis.testing.services import CALLER, put_rows, services, settings_in
from ft.proto import domains_pb2_grpc
from ft.proto import fine_tuning_studio_pb2 as pb

TEMPLATES = ("prompt_template", "input_template", "completion_template")
PEERS = ("datasets", "models", "adapters", "prompts", "configs")


def prompt(id: str) -> pb.AddPromptRequest:
    """A prompt of that id and name."""
    templates = dict.fromkeys(TEMPLATES, "{a}")
    return pb.AddPromptRequest(
        prompt=pb.PromptMetadata(id=id, name=id, dataset_id="d", **templates)
    )


ADDS: dict[str, tuple[str, Any, Any]] = {
    "datasets": (
        "Dataset",
        pb.AddDatasetRequest(type="project_csv", location="rows.csv", name="one"),
        pb.AddDatasetRequest(type="project_csv", location="rows.csv", name="two"),
    ),
    "models": (
        "Model",
        pb.AddModelRequest(type="project", location="model", name="one"),
        pb.AddModelRequest(type="project", location="model", name="two"),
    ),
    "adapters": (
        "Adapter",
        pb.AddAdapterRequest(name="one", model_id="m", location="adapter"),
        pb.AddAdapterRequest(name="two", model_id="m", location="adapter"),
    ),
    "prompts": (
        "Prompt",
        prompt("1"),
        prompt("2"),
    ),
    "configs": (
        "Config",
        pb.AddConfigRequest(type="lora_config", config='{"r": 3}'),
        pb.AddConfigRequest(type="lora_config", config='{"r": 5}'),
    ),
}


class Domain:
    """Calls to one domain's service."""

    def __init__(self, settings: Settings, domain: str) -> None:
        self.record, self.first, self.other = ADDS[domain]
        self._field = self.record.lower()
        service = DOMAIN_SERVICES[domain]
        stub = getattr(domains_pb2_grpc, f"{service.name}Stub")
        self._peer = Peer(domain, settings, service, stub)

    async def add(self, request: Any, request_id: str = "the same") -> str:
        asked = type(request)()
        asked.CopyFrom(request)
        asked.request_id = request_id
        answer = await self._peer(lambda stub: getattr(stub, f"Add{self.record}"), asked)
        return str(getattr(answer, self._field).id)

    async def remove(self, id: str) -> None:
        request = getattr(pb, f"Remove{self.record}Request")(id=id)
        await self._peer(lambda stub: getattr(stub, f"Remove{self.record}"), request)

    async def close(self) -> None:
        await self._peer.close()


@asynccontextmanager
async def serving(folder: Path, domain: str) -> AsyncIterator[Domain]:
    async with services(folder, *PEERS):
        calls = Domain(settings_in(folder, CALLER), domain)
        yield calls
        await calls.close()


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    for name in ("model", "adapter"):
        (project / name).mkdir(parents=True)
    (project / "rows.csv").write_text("a\n1\n")
    (project / "model" / "config.json").write_text('{"model_type": "llama"}')
    async with services(tmp_path, *PEERS):
        await put_rows(tmp_path, "datasets", {"id": "d", "name": "d", "features": '["a"]'})
        await put_rows(tmp_path, "models", {"id": "m", "name": "m"})
    return tmp_path


@pytest.mark.parametrize("domain", ADDS)
async def test_repeated_request_gets_the_same_answer(folder: Path, domain: str) -> None:
    async with serving(folder, domain) as calls:
        ids = await asyncio.gather(*(calls.add(calls.first) for _ in range(20)))
        assert len(set(ids)) == 1
    async with serving(folder, domain) as calls:
        assert await calls.add(calls.first) == ids[0], "also after the service was started anew"
        with pytest.raises(errors.InvalidArgument) as refused:
            await calls.add(calls.other)
        [violation] = refused.value.violations
        assert (violation.field, violation.rule) == ("request_id", rules.SAME_REQUEST.id)
        assert await calls.add(calls.other, "another") != ids[0]


@pytest.mark.parametrize("domain", ADDS)
async def test_repeated_request_adds_a_removed_record_again(folder: Path, domain: str) -> None:
    async with serving(folder, domain) as calls:
        id = await calls.add(calls.first)
        await calls.remove(id)
        again = await calls.add(calls.first)
        assert (again == id) == (domain == "prompts"), "whose ids are the client's"
        assert await calls.add(calls.first) == again


@pytest.mark.parametrize("domain", ADDS)
async def test_old_request_id_is_forgotten_at_the_next_start(folder: Path, domain: str) -> None:
    async with serving(folder, domain) as calls:
        await calls.add(calls.first)
    with closing(sqlite3.connect(folder / f"{domain}.db")) as database:
        database.execute(f"UPDATE {domain}_requests SET noted_at = '2026-01-01 00:00:00.000000'")
        database.commit()
        async with serving(folder, domain) as calls, asyncio.timeout(120):
            count = f"SELECT count(*) FROM {domain}_requests"
            while database.execute(count).fetchone() != (0,):  # noqa: ASYNC110 - of another thread
                await asyncio.sleep(0.01)
            assert await calls.add(calls.other), "its id is free for another request"


async def test_request_id_has_a_length_limit(folder: Path) -> None:
    async with serving(folder, "datasets") as calls:
        assert await calls.add(calls.first, "😀" * 256)
        with pytest.raises(errors.InvalidArgument) as refused:
            await calls.add(calls.other, "x" * 257)
        [violation] = refused.value.violations
        assert (violation.field, violation.rule) == ("request_id", rules.TEXT_LENGTH.id)


async def test_prompt_id_has_the_same_length_limit(folder: Path) -> None:
    async with serving(folder, "prompts") as calls:
        with pytest.raises(errors.InvalidArgument) as refused:
            await calls.add(prompt("x" * 257))
        [violation] = refused.value.violations
        assert (violation.field, violation.rule) == ("prompt.id", rules.TEXT_LENGTH.id)


async def test_refused_request_may_be_corrected_under_its_id(folder: Path) -> None:
    async with serving(folder, "datasets") as calls:
        missing = pb.AddDatasetRequest(type="project_csv", location="none.csv", name="one")
        with pytest.raises(errors.InvalidArgument):
            await calls.add(missing)
        assert await calls.add(calls.first)


async def test_repeat_without_an_id_names_the_owner_of_the_name(folder: Path) -> None:
    async with serving(folder, "datasets") as calls:
        id = await calls.add(calls.first)
        for request_id in ("", "another"):
            with pytest.raises(errors.AlreadyExists) as taken:
                await calls.add(calls.first, request_id)
            assert taken.value.metadata["holder_id"] == id
