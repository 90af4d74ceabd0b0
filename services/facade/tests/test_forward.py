"""Calls through the facade arrive as they were sent, and so do the answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio

from chassis.domains import DOMAIN_SERVICES
from chassis.rpc import context, errors, translate
from chassis.rpc.dispatch import RpcDispatcher, handlers
from chassis.rpc.server import ServiceParts
from chassis.testing.services import parts_of, serving, settings_in
from ft.proto.fine_tuning_studio_jobs_pb2 import TailLogsRequest, TailLogsResponse
from ft.proto.fine_tuning_studio_pb2 import GetModelRequest, GetModelResponse, ModelMetadata

PUBLIC = "/fine_tuning_studio.FineTuningStudio/"
PUBLIC_JOBS = "/fine_tuning_studio.FineTuningStudioJobs/"
UNKNOWN_FIELD = b"\xba\x3e\x05later"
"""Field 999, a string, which no message has."""


class Models:
    """A domain that answers as it is told to."""

    def __init__(self) -> None:
        self.raises: Exception | None = None
        self.blocks = False
        self.seen: list[context.CallContext] = []

    async def GetModel(self, request: GetModelRequest) -> GetModelResponse:
        self.seen.append(context.current(0))
        if self.blocks:
            await asyncio.Event().wait()
        if self.raises is not None:
            raise self.raises
        return GetModelResponse(model=ModelMetadata(id=request.id))

    async def TailLogs(self, request: TailLogsRequest) -> AsyncIterator[TailLogsResponse]:
        if request.job_id != "m":
            raise errors.NotFound(f"job {request.job_id!r} does not exist")
        yield TailLogsResponse(data=b"m")


class Jobs:
    """A job domain that knows one job."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.raises: Exception | None = None
        self.asked = 0
        self.streaming = 0

    async def TailLogs(self, request: TailLogsRequest) -> AsyncIterator[TailLogsResponse]:
        self.asked += 1
        if self.raises is not None:
            raise self.raises
        if request.job_id != self.job_id:
            raise errors.NotFound(f"job {request.job_id!r} does not exist")
        self.streaming += 1
        try:
            yield TailLogsResponse(data=self.job_id.encode(), next_offset=1)
            while request.follow:
                yield TailLogsResponse(data=b".")
                await asyncio.sleep(0.01)
        finally:
            self.streaming -= 1


class Studio:
    """The facade, domains of the test's own, and a client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.models = Models()
        self.fine_tuning = Jobs("f")
        self.evaluation = Jobs("e")
        self.channel = aio.insecure_channel(settings_in(folder, "test").address_of("facade"))

    async def unary(self, method: str, request: bytes, on: str = "", **how: Any) -> bytes:
        call: Any = self.channel.unary_unary(f"{on or PUBLIC}{method}", None, None)
        answer: bytes = await call(request, **{"timeout": 60, "wait_for_ready": True, **how})
        return answer

    def tail(self, job_id: str, follow: bool = False) -> Any:
        stream: Any = self.channel.unary_stream(f"{PUBLIC_JOBS}TailLogs", None, None)
        request = TailLogsRequest(job_id=job_id, follow=follow).SerializeToString()
        return stream(request, timeout=120, wait_for_ready=True)


def domain(name: str, servicer: object, *only: str) -> Callable[[Path], Any]:
    parts = ServiceParts(
        service_names=[],
        handlers=lambda d: [handlers(DOMAIN_SERVICES[name], servicer, d, only=only)],
    )
    return lambda folder: serving(settings_in(folder, name), parts)


@asynccontextmanager
async def facade(folder: Path) -> AsyncIterator[None]:
    settings = settings_in(folder, "facade")
    async with serving(settings, parts_of(settings)):
        yield


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    studio = Studio(tmp_path)
    async with (
        domain("models", studio.models, "GetModel", "TailLogs")(tmp_path),
        domain("fine_tuning", studio.fine_tuning, "TailLogs")(tmp_path),
        domain("evaluation", studio.evaluation, "TailLogs")(tmp_path),
        facade(tmp_path),
    ):
        yield studio
        await studio.channel.close(None)


async def refusal(call: Any) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as refused:
        await call
    return refused.value


def details(error: aio.AioRpcError) -> Any:
    return dict(error.trailing_metadata() or ())[translate.DETAILS_TRAILER]


async def test_bytes_pass_unparsed_both_ways(tmp_path: Path) -> None:
    seen: list[bytes] = []

    async def echo(request: bytes, _context: Any) -> bytes:
        seen.append(request)
        return request

    def raw(_dispatcher: RpcDispatcher) -> Any:
        method = {"GetModel": grpc.unary_unary_rpc_method_handler(echo)}
        return [grpc.method_handlers_generic_handler(DOMAIN_SERVICES["models"].full_name, method)]

    studio = Studio(tmp_path)
    # Neither a message of the type, nor one in canonical order, nor without unknown fields.
    sent = UNKNOWN_FIELD + GetModelRequest(id="m").SerializeToString() + UNKNOWN_FIELD
    async with (
        serving(settings_in(tmp_path, "models"), ServiceParts(service_names=[], handlers=raw)),
        facade(tmp_path),
    ):
        assert await studio.unary("GetModel", sent) == sent
        assert await studio.unary("GetModel", b"\xff no message") == b"\xff no message"
        await studio.channel.close(None)
    assert seen == [sent, b"\xff no message"]


@pytest.mark.parametrize(
    "error",
    [
        errors.InvalidArgument.of(
            [errors.Violation("a", "is bad", "FT-001"), errors.Violation("b", "ü", "FT-005")]
        ),
        errors.NotFound("model 'm' does not exist", resource="model", id="m"),
        errors.Unavailable("the hub does not answer", reason="HUB_UNAVAILABLE"),
        KeyError("hf_secret"),
    ],
)
async def test_refusal_survives_to_the_byte(studio: Studio, error: Exception) -> None:
    studio.models.raises = error
    direct = aio.insecure_channel(settings_in(studio.folder, "x").address_of("models"))
    inner: Any = direct.unary_unary(f"/{DOMAIN_SERVICES['models'].full_name}/GetModel", None, None)
    there = await refusal(inner(b"", timeout=10))
    here = await refusal(studio.unary("GetModel", b""))
    await direct.close(None)
    assert (here.code(), here.details()) == (there.code(), there.details())
    assert details(here) == details(there)
    assert len(studio.models.seen) == 2


async def test_deadline_gets_shorter_and_request_id_stays(studio: Studio) -> None:
    metadata = ((context.REQUEST_ID, "r-1"), (context.CALLER, "alice"))
    until = time.monotonic() + 5
    await studio.unary("GetModel", b"", timeout=5, metadata=metadata)
    [call] = studio.models.seen
    assert (call.request_id, call.caller) == ("r-1", "alice")
    assert call.deadline < until
    assert call.deadline > until - 2


async def test_call_without_a_deadline_gets_one(studio: Studio) -> None:
    await studio.unary("GetModel", b"", timeout=None)
    [call] = studio.models.seen
    assert call.request_id
    assert 0 < call.deadline - time.monotonic() <= 30


async def test_slow_domain_is_named(studio: Studio) -> None:
    studio.models.blocks = True
    late = await refusal(studio.unary("GetModel", b"", timeout=2))
    assert late.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "'models'" in str(late.details())


async def test_domain_that_is_down_is_named_soon(studio: Studio) -> None:
    # Well before the deadline, which the call would end with otherwise.
    away = await refusal(studio.unary("GetDataset", b"", timeout=120))
    assert away.code() is grpc.StatusCode.UNAVAILABLE
    found = translate.from_rpc_error(away, "facade")
    assert (found.code_reason, found.metadata) == ("SERVICE_UNAVAILABLE", {"service": "datasets"})
    await studio.unary("GetModel", b"")


async def test_unknown_rpc_is_unimplemented(studio: Studio) -> None:
    unknown = await refusal(studio.unary("ExportTables", b""))
    assert unknown.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_log_comes_from_the_domain_that_knows_the_job(studio: Studio) -> None:
    for job_id in ("m", "f", "e"):
        chunks = [TailLogsResponse.FromString(chunk) async for chunk in studio.tail(job_id)]
        assert [c.data for c in chunks] == [job_id.encode()]
    assert (studio.fine_tuning.asked, studio.evaluation.asked) == (2, 1)


async def test_log_of_an_unknown_job_is_not_found(studio: Studio) -> None:
    unknown = await refusal(studio.tail("x").read())
    assert unknown.code() is grpc.StatusCode.NOT_FOUND
    assert unknown.details() == "job 'x' does not exist"


async def test_domain_that_is_down_hides_no_other(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    async with (
        domain("models", studio.models, "TailLogs")(tmp_path),
        domain("evaluation", studio.evaluation, "TailLogs")(tmp_path),
        facade(tmp_path),
    ):
        data = [TailLogsResponse.FromString(part).data async for part in studio.tail("e")]
        assert data == [b"e"]
        error = await refusal(anext(aiter(studio.tail("f"))))
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert "'fine_tuning'" in str(error.details())
        await studio.channel.close(None)


async def test_unknown_id_alone_goes_on_to_the_next_domain(studio: Studio) -> None:
    studio.fine_tuning.raises = errors.InvalidArgument("offset: must not be negative")
    refused = await refusal(studio.tail("e").read())
    assert refused.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert studio.evaluation.asked == 0


@pytest.mark.parametrize("job_id", ["f", "e"])
async def test_client_that_leaves_ends_the_stream_in_the_domain(
    studio: Studio, job_id: str
) -> None:
    jobs = studio.fine_tuning if job_id == "f" else studio.evaluation
    answers = studio.tail(job_id, follow=True)
    await answers.read()
    await answers.read()
    assert jobs.streaming == 1
    answers.cancel()
    async with asyncio.timeout(120):
        while jobs.streaming:  # noqa: ASYNC110 - nothing tells of the end of a generator
            await asyncio.sleep(0.01)


async def test_broken_stream_names_the_domain(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    async with facade(tmp_path):
        async with (
            domain("models", studio.models, "TailLogs")(tmp_path),
            domain("fine_tuning", studio.fine_tuning, "TailLogs")(tmp_path),
        ):
            answers = studio.tail("f", follow=True)
            await answers.read()

        async def rest() -> None:
            while await answers.read():
                pass

        broken = await refusal(rest())
        await studio.channel.close(None)
    assert broken.code() is grpc.StatusCode.UNAVAILABLE
    assert "'fine_tuning'" in str(broken.details())
