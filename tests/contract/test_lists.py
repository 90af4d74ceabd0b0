"""Every list of the contract: its pages, filter and order, and the times of what it lists."""

import importlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import String, Table, insert, update

from chassis.domains import DOMAIN_SERVICES
from chassis.rpc import errors
from chassis.rpc.peers import Peer
from chassis.store.engine import Store
from chassis.testing.services import parts_of, serving, settings_in
from ft.proto import domains_pb2_grpc, fine_tuning_studio_pb2

BEGAN = datetime(2026, 1, 2, 3, 4, 5, 678_901)
NAMES = ("b", "a", "c", "b", "A", "é", None)


@dataclass(frozen=True)
class Kind:
    """A list, the record behind it, and two of its columns: one to sort by, one to filter by."""

    domain: str
    record: str
    name: str
    type: str = "type"

    @property
    def list(self) -> str:
        return f"List{self.record}s"


KINDS = (
    Kind("datasets", "Dataset", "name"),
    Kind("models", "Model", "name"),
    Kind("adapters", "Adapter", "name"),
    Kind("prompts", "Prompt", "name"),
    Kind("configs", "Config", "description"),
    Kind("fine_tuning", "FineTuningJob", "adapter_name", "framework_type"),
    Kind("evaluation", "EvaluationJob", "parent_job_id"),
)
JOBS = [kind for kind in KINDS if kind.record.endswith("Job")]


class Listed:
    """Calls to the service of one kind, whose table has a record for each of NAMES, and one more
    of another type."""

    def __init__(self, kind: Kind, peer: Peer[Any], store: Store, table: Table) -> None:
        self._kind = kind
        self._peer = peer
        self._store = store
        self.table = table

    async def write(self, **values: Any) -> None:
        """Sets columns of every record."""
        statement = update(self.table).values(**values)
        await self._store.write(lambda connection: connection.execute(statement))

    async def answer(self, **fields: Any) -> Any:
        request = getattr(fine_tuning_studio_pb2, f"{self._kind.list}Request")(**fields)
        return await self._peer(lambda stub: getattr(stub, self._kind.list), request)

    async def items(self, **fields: Any) -> list[Any]:
        return items(await self.answer(**fields))

    async def refusal(self, **fields: Any) -> errors.Violation:
        with pytest.raises(errors.InvalidArgument) as refused:
            await self.answer(**fields)
        [violation] = refused.value.violations
        return violation


def items(response: Any) -> list[Any]:
    [field] = (field for field in response.DESCRIPTOR.fields if field.is_repeated)
    return list(getattr(response, field.name))


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
async def listed(kind: Kind, tmp_path: Path) -> AsyncIterator[Listed]:
    settings = settings_in(tmp_path, kind.domain)
    parts = parts_of(settings)
    store = importlib.import_module(f"services.{kind.domain}.store")
    table = getattr(store, kind.record).table()
    rows = [
        {
            "id": str(n),
            kind.name: name,
            kind.type: "other" if n == len(NAMES) else "some",
            "created_at": BEGAN + timedelta(seconds=n),
            "updated_at": BEGAN + timedelta(seconds=10 - n),
            **({"state": "FAILED" if n % 2 else "SUCCEEDED"} if kind in JOBS else {}),
        }
        for n, name in enumerate([*NAMES, "a"])
    ]
    async with serving(settings, parts):
        assert parts.store is not None
        await parts.store.write(lambda connection: connection.execute(insert(table), rows))
        service = DOMAIN_SERVICES[kind.domain]
        peer = Peer(
            kind.domain, settings, service, getattr(domains_pb2_grpc, f"{service.name}Stub")
        )
        yield Listed(kind, peer, parts.store, table)
        await peer.close()


each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.record, indirect=True)


@each_kind
async def test_pages_together_are_the_list_in_order(kind: Kind, listed: Listed) -> None:
    asked: dict[str, Any] = {"filter": {kind.type: "some"}, "order_by": f"{kind.name} desc"}
    everything = await listed.answer(**asked)
    assert everything.next_page_token == ""
    assert [item.id for item in items(everything)] == ["5", "2", "0", "3", "1", "4", "6"]
    found, token = [], ""
    for size in (3, 1, 3):
        page = await listed.answer(page_size=size, page_token=token, **asked)
        assert len(items(page)) == size
        found += items(page)
        token = page.next_page_token
    assert found == items(everything)
    assert token == ""
    # A token alone brings what is left, and is good for this list only.
    first = await listed.answer(page_size=2, **asked)
    rest = await listed.items(page_token=first.next_page_token, **asked)
    assert items(first) + rest == found
    refused = await listed.refusal(page_token=first.next_page_token)
    assert (refused.field, refused.rule) == ("page_token", "FT-015")


@each_kind
async def test_times_are_filtered_in_the_form_they_are_shown(kind: Kind, listed: Listed) -> None:
    newest = await listed.items(order_by="created_at desc", filter={kind.type: "some"})
    assert [item.id for item in newest] == ["6", "5", "4", "3", "2", "1", "0"]
    assert newest[-1].created_at == "2026-01-02T03:04:05.678Z"
    assert newest[-1].updated_at == "2026-01-02T03:04:15.678Z"
    assert await listed.items(filter={"created_at": newest[-1].created_at}) == newest[-1:]
    assert newest[0] in await listed.items()


@each_kind
async def test_page_token_of_the_longest_texts_can_be_sent(kind: Kind, listed: Listed) -> None:
    message = getattr(fine_tuning_studio_pb2, f"{kind.record}Metadata").DESCRIPTOR
    texts = [
        column.name
        for column in listed.table.columns
        if isinstance(column.type, String)
        and column.name in message.fields_by_name
        and column.name not in ("id", "metrics", "samples")
    ]
    await listed.write(**dict.fromkeys(texts, "\x01" * 1000))
    asked: dict[str, Any] = {"order_by": ", ".join(texts), "page_size": 1}
    first = await listed.answer(**asked)
    second = await listed.answer(**asked, page_token=first.next_page_token)
    assert items(first) != items(second)


@each_kind
async def test_list_names_an_unknown_field(kind: Kind, listed: Listed) -> None:
    for asked, field, rule in (
        ({"filter": {"colour": "x"}}, "filter", "FT-016"),
        ({"order_by": "colour"}, "order_by", "FT-017"),
    ):
        refused = await listed.refusal(**asked)
        assert (refused.field, refused.rule) == (field, rule)
        assert "'colour'" in refused.description
        assert "created_at" in refused.description
    refused = await listed.refusal(page_size=-1)
    assert (refused.field, refused.rule) == ("page_size", "FT-014")


@pytest.mark.parametrize("kind", JOBS, ids=lambda kind: kind.record, indirect=True)
async def test_jobs_are_filtered_by_state(kind: Kind, listed: Listed) -> None:
    failed = await listed.items(filter={"state": "FAILED"}, order_by="created_at desc")
    assert [job.id for job in failed] == ["7", "5", "3", "1"]
    assert {job.status.state for job in failed} == {"FAILED"}
