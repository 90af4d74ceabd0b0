"""Adapters of the hub: registered with their commit, refused where there is none."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from chassis.rpc import errors
from chassis.testing.hub import COMMIT, Repo, hub
from chassis.testing.services import ServiceProcess, put_rows, services
from ft.proto.fine_tuning_studio_pb2 import AdapterMetadata, GetAdapterRequest
from services.adapters.tests.test_adapters import OWNERS, Studio
from tests.processes import starts_processes

TOKEN = "token-of-the-adapters-tests"
PLAIN = {"peft_type": "LORA", "base_model_name_or_path": None}


def config(base: str | None) -> dict[str, bytes]:
    content = json.dumps(PLAIN | {"base_model_name_or_path": base}).encode()
    return {"adapter_config.json": content}


REPOS = [
    Repo("model", "good/adapter", config("a/base")),
    Repo("model", "unnamed/base", config("/data/models/base")),
    Repo("model", "other/base", config("a/other")),
    Repo("model", "whole/model", {"config.json": b"{}"}),
    Repo("model", "bad/config", {"adapter_config.json": b"{"}),
    Repo("model", "private/adapter", config("a/base"), private=True),
    Repo("model", "gated/adapter", config("a/base"), gated=True, readers=(TOKEN,)),
    Repo("model", "broken/hub", config("a/base"), status=503),
]


@pytest.fixture
@starts_processes
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    with hub(*REPOS, tokens=(TOKEN,)) as served:
        environment = {
            **served.environment(str(tmp_path / "hf")),
            "HUGGINGFACE_ACCESS_TOKEN": TOKEN,
        }
        async with services(tmp_path, *OWNERS):
            with ServiceProcess(tmp_path, "adapters", **environment) as process:
                await process.serving()
                row = {"id": "m", "type": "huggingface", "name": "a/base"}
                await put_rows(tmp_path, "models", row | {"huggingface_model_name": "a/base"})
                studio = Studio(tmp_path)
                yield studio
                await studio.close()
                assert TOKEN not in process.log.read_text()


async def add(studio: Studio, name: str) -> AdapterMetadata:
    """Registers it; the first question to the hub imports its libraries, which takes time."""
    wanted = {"type": "huggingface", "name": name.replace("/", "-"), "location": ""}
    with suppress(errors.Unavailable):
        return await studio.add(**wanted, model_id="m", huggingface_name=name)
    return await studio.add(**wanted, model_id="m", huggingface_name=name)


async def test_adapter_is_registered_at_its_newest_commit(studio: Studio) -> None:
    for name in ("good/adapter", "unnamed/base", "gated/adapter"):
        added = await add(studio, name)
        assert (added.huggingface_name, added.commit) == (name, COMMIT)
        got = await studio.adapters(lambda s: s.GetAdapter, GetAdapterRequest(id=added.id))
        assert got.adapter.commit == COMMIT


async def test_adapter_that_does_not_fit_the_model_is_refused(studio: Studio) -> None:
    for name, rule, said in (
        ("whole/model", "FT-223", "has no adapter_config.json with a peft_type"),
        ("bad/config", "FT-223", "has no adapter_config.json with a peft_type"),
        ("no/such", "FT-223", "no/such"),
        ("private/adapter", "FT-223", "private/adapter"),
        ("other/base", "FT-209", "adapter other/base was trained on a/other"),
    ):
        with pytest.raises(errors.InvalidArgument, match=said) as refused:
            await add(studio, name)
        assert [one.rule for one in refused.value.violations] == [rule]
    with pytest.raises(errors.Unavailable):
        await add(studio, "broken/hub")
    assert await studio.names() == []
