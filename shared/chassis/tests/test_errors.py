"""Typed errors on their way through one hop and through two."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis import domains
from chassis.config import Settings
from chassis.rpc import context, errors, rules, translate
from chassis.rpc.dispatch import handlers
from chassis.rpc.peers import all_referred, referred
from chassis.rpc.server import ServiceParts
from chassis.testing.services import serving, settings_in
from ft.proto.fine_tuning_studio_pb2 import (
    AdapterMetadata,
    GetAdapterRequest,
    GetAdapterResponse,
    GetModelRequest,
    GetModelResponse,
)

KINDS = errors.Refusal.__subclasses__()


class Models:
    """The inner service: refuses as it is told to."""

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
        return GetModelResponse()


class Adapters:
    """The outer service: asks the inner one."""

    def __init__(self, settings: Settings) -> None:
        self.models = domains.models(settings)
        self.seen: list[context.CallContext] = []

    async def GetAdapter(self, request: GetAdapterRequest) -> GetAdapterResponse:
        self.seen.append(context.current(0))
        lookup = self.models(lambda s: s.GetModel, GetModelRequest(id=request.id))
        await (referred("model_id", lookup) if request.id == "referred" else lookup)
        return GetAdapterResponse(adapter=AdapterMetadata(id=request.id))


class Hops:
    """A caller and the two services."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder, "adapters")
        self.inner = Models()
        self.outer = Adapters(settings)
        self.adapters = domains.adapters(settings_in(folder, "test"))

    async def refusal(self, id: str = "") -> errors.Refusal:
        with pytest.raises(errors.Refusal) as refused:
            await self.adapters(lambda s: s.GetAdapter, GetAdapterRequest(id=id))
        return refused.value

    async def plain_call(
        self, seconds: float, metadata: tuple[tuple[str, str], ...] = (), data: bytes = b""
    ) -> None:
        """What a client does that does not stand on the chassis."""
        channel = self.adapters.channel
        call: Any = channel.grpc_channel.unary_unary(
            f"/{channel.service.full_name}/GetAdapter", None, None
        )
        await call(data, timeout=seconds, metadata=metadata, wait_for_ready=True)


@asynccontextmanager
async def _served(folder: Path, name: str, servicer: object, only: str) -> AsyncIterator[None]:
    parts = ServiceParts(
        service_names=[],
        handlers=lambda d: [handlers(domains.DOMAIN_SERVICES[name], servicer, d, only={only})],
    )
    async with serving(settings_in(folder, name), parts):
        yield


@pytest.fixture
async def hops(tmp_path: Path) -> AsyncIterator[Hops]:
    hops = Hops(tmp_path)
    async with (
        _served(tmp_path, "models", hops.inner, "GetModel"),
        _served(tmp_path, "adapters", hops.outer, "GetAdapter"),
    ):
        yield hops
        await hops.adapters.close()
        await hops.outer.models.close()


def test_refusals_have_status_codes_of_their_own() -> None:
    assert set(KINDS) == set(translate.STATUS_CODES)
    assert len(set(translate.STATUS_CODES.values())) == len(KINDS)


def test_refusals_have_reasons_of_their_own() -> None:
    assert len({kind.reason for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
async def test_refusal_means_the_same_after_two_hops(
    hops: Hops, kind: type[errors.Refusal]
) -> None:
    hops.inner.raises = kind("no, not this: ä", reason="SPECIAL", field="x", holder_id="7")
    refusal = await hops.refusal()
    assert type(refusal) is kind
    assert refusal.message == "no, not this: ä"
    assert refusal.code_reason == "SPECIAL"
    assert refusal.metadata == {"field": "x", "holder_id": "7"}


async def test_answered_call_is_not_repeated(hops: Hops) -> None:
    hops.inner.raises = errors.Unavailable("the hub does not answer")
    await hops.refusal()
    assert len(hops.inner.seen) == 1


@pytest.mark.parametrize("kind", [errors.InvalidArgument, errors.FailedPrecondition])
async def test_violations_all_survive_two_hops(hops: Hops, kind: type[errors.Refusal]) -> None:
    violations = (
        errors.Violation("a", "is bad", "FT-001"),
        errors.Violation("b", "is worse", "FT-005"),
    )
    hops.inner.raises = kind.of(violations)
    refusal = await hops.refusal()
    assert type(refusal) is kind
    assert refusal.violations == violations
    assert refusal.message == "a: is bad; b: is worse"


@pytest.mark.parametrize("text", ["x" * 60_000, "\U0001f600" * 60_000])
async def test_long_message_is_cut_to_what_arrives(hops: Hops, text: str) -> None:
    violations = [errors.Violation(f"{number} {text}", text, "FT-001") for number in range(1_000)]
    hops.inner.raises = errors.InvalidArgument(
        f"begin {text} end", violations=violations, first=text, second=text
    )
    refusal = await hops.refusal()
    assert isinstance(refusal, errors.InvalidArgument)
    assert refusal.message.startswith("begin ")
    assert refusal.message.endswith(" end")
    assert refusal.violations[0].field.startswith("0 ")
    assert refusal.violations[-1].description.startswith("and 99")
    assert set(refusal.metadata) == {"first", "second"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfe", "MALFORMED_REQUEST"),
        (b"\x0a\x02\xff\xfe", "MALFORMED_REQUEST"),
        (GetAdapterRequest(id="a\0b").SerializeToString(), "INVALID_ARGUMENT"),
        (GetAdapterRequest(id="x" * 70_000).SerializeToString(), "INVALID_ARGUMENT"),
    ],
)
async def test_bytes_that_are_no_request_are_invalid(hops: Hops, data: bytes, reason: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await hops.plain_call(5.0, data=data)
    refusal = translate.from_rpc_error(refused.value, "adapters")
    assert isinstance(refusal, errors.InvalidArgument)
    assert refusal.code_reason == reason
    assert hops.inner.seen == []


async def test_unforeseen_error_leaves_as_a_plain_internal_error(hops: Hops) -> None:
    hops.inner.raises = KeyError("hf_secretsecret")
    refusal = await hops.refusal()
    assert isinstance(refusal, errors.Internal)
    assert refusal.message == "GetModel failed unexpectedly; the service's log says why"


async def test_missing_reference_is_a_failed_precondition(hops: Hops) -> None:
    hops.inner.raises = errors.NotFound("model '7' does not exist")
    refusal = await hops.refusal("referred")
    assert isinstance(refusal, errors.FailedPrecondition)
    assert refusal.message == "model_id: model '7' does not exist"
    [violation] = refusal.violations
    assert (violation.field, violation.rule) == ("model_id", rules.REFERENCE_EXISTS.id)


async def test_missing_references_are_all_named() -> None:
    async def missing(kind: type[errors.Refusal]) -> None:
        raise kind("it does not exist")

    with pytest.raises(errors.FailedPrecondition) as refused:
        await all_referred(
            referred("model_id", missing(errors.NotFound)),
            referred("prompt_id", missing(errors.NotFound)),
        )
    assert [v.field for v in refused.value.violations] == ["model_id", "prompt_id"]
    with pytest.raises(errors.Unavailable):
        await all_referred(
            referred("model_id", missing(errors.NotFound)),
            referred("prompt_id", missing(errors.Unavailable)),
        )


async def test_service_that_is_down_is_named(tmp_path: Path) -> None:
    hops = Hops(tmp_path)
    async with _served(tmp_path, "adapters", hops.outer, "GetAdapter"):
        refusal = await hops.refusal()
    assert isinstance(refusal, errors.Unavailable)
    assert refusal.metadata == {"service": "models"}
    assert "'models'" in refusal.message
    await hops.adapters.close()
    await hops.outer.models.close()


async def test_request_id_and_caller_are_handed_on(hops: Hops) -> None:
    await hops.plain_call(10, ((context.REQUEST_ID, "r-1"), (context.CALLER, "alice")))
    [outer], [inner] = hops.outer.seen, hops.inner.seen
    assert (outer.request_id, outer.caller) == (inner.request_id, inner.caller) == ("r-1", "alice")


async def test_hops_hand_on_less_time_than_they_got(hops: Hops) -> None:
    # On a busy machine one call may be longer under way than a hop keeps for itself.
    for _ in range(5):
        await hops.plain_call(10)
    pairs = zip(hops.outer.seen, hops.inner.seen, strict=True)
    assert any(inner.deadline < outer.deadline for outer, inner in pairs)


async def test_slow_service_is_named(hops: Hops) -> None:
    hops.inner.blocks = True
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await hops.plain_call(0.5)
    refusal = translate.from_rpc_error(late.value, "adapters")
    assert isinstance(refusal, errors.DeadlineExceeded)
    assert refusal.metadata == {"service": "models"}
