"""A job's report goes to the domain that owns the job."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio

from chassis.rpc.errors import Unauthenticated
from chassis.testing.services import settings_in
from ft.domains import DOMAIN_OF_KIND
from ft.job_protocol.reports import KIND_METADATA, JobKind
from ft.proto.fine_tuning_studio_jobs_pb2 import ReportJobEventsRequest, ReportJobEventsResponse
from services.facade.tests.test_forward import domain, facade

METHOD = "/fine_tuning_studio.FineTuningStudioJobs/ReportJobEvents"


class Owner:
    """A domain that knows one job, whose id is the domain's name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = 0

    async def ReportJobEvents(self, request: ReportJobEventsRequest) -> ReportJobEventsResponse:
        self.asked += 1
        if request.job_id != self.name:
            raise Unauthenticated("the token does not belong to a job that has not ended")
        return ReportJobEventsResponse(next_offset=7)


class Studio:
    """The facade and the domains that have jobs."""

    def __init__(self, folder: Path) -> None:
        self.owners = {name: Owner(name) for name in DOMAIN_OF_KIND.values()}
        self._channel = aio.insecure_channel(settings_in(folder, "test").address_of("facade"))

    async def report(self, job_id: str, kind: str | None = None) -> int:
        call: Any = self._channel.unary_unary(METHOD, None, ReportJobEventsResponse.FromString)
        metadata = () if kind is None else ((KIND_METADATA, kind),)
        request = ReportJobEventsRequest(job_id=job_id).SerializeToString()
        answer = await call(request, metadata=metadata, timeout=60, wait_for_ready=True)
        return int(answer.next_offset)

    def asked(self) -> dict[str, int]:
        """How often each domain was asked that was asked at all."""
        return {name: owner.asked for name, owner in self.owners.items() if owner.asked}

    async def close(self) -> None:
        await self._channel.close(None)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def serve(stack: AsyncExitStack, folder: Path, without: str = "") -> Studio:
    studio = Studio(folder)
    for name, owner in studio.owners.items():
        if name != without:
            await stack.enter_async_context(domain(name, owner, "ReportJobEvents")(folder))
    await stack.enter_async_context(facade(folder))
    stack.push_async_callback(studio.close)
    return studio


@pytest.mark.parametrize("kind", JobKind)
async def test_report_reaches_the_owner_alone(
    tmp_path: Path, stack: AsyncExitStack, kind: JobKind
) -> None:
    studio = await serve(stack, tmp_path)
    owner = DOMAIN_OF_KIND[kind]
    for _ in range(2):
        assert await studio.report(owner, kind) == 7
    assert studio.asked() == {owner: 2}


@pytest.mark.parametrize("kind", [None, "", "pretraining", "models", "ü".encode().hex()])
async def test_report_without_a_known_kind_is_offered_to_each_domain(
    tmp_path: Path, stack: AsyncExitStack, kind: str | None
) -> None:
    studio = await serve(stack, tmp_path)
    for owner in studio.owners:
        assert await studio.report(owner, kind) == 7
    assert sum(studio.asked().values()) == 1 + 2 + 3


async def test_report_of_another_kind_arrives(tmp_path: Path, stack: AsyncExitStack) -> None:
    studio = await serve(stack, tmp_path)
    assert await studio.report("evaluation", JobKind.FINE_TUNING) == 7
    assert studio.asked()["fine_tuning"] == studio.asked()["evaluation"] == 1


async def test_report_of_no_job_is_refused(tmp_path: Path, stack: AsyncExitStack) -> None:
    studio = await serve(stack, tmp_path)
    with pytest.raises(aio.AioRpcError) as refused:
        await studio.report("none", JobKind.EVALUATION)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_report_waits_for_an_owner_that_is_down(
    tmp_path: Path, stack: AsyncExitStack
) -> None:
    studio = await serve(stack, tmp_path, without="evaluation")
    with pytest.raises(aio.AioRpcError) as refused:
        await studio.report("evaluation", JobKind.EVALUATION)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "evaluation" in str(refused.value.details())
    assert studio.asked() == {}
