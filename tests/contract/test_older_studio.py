"""Our clients against a studio that has nothing but the frozen contract."""

from collections import Counter
from collections.abc import Iterator
from concurrent import futures
from functools import partial
from typing import Any

import grpc
import pytest

from ft import api
from ft.client import (
    AsyncFineTuningStudioClient,
    FineTuningStudioClient,
    NotFoundError,
    UnimplementedError,
)
from ft.services import METHODS, SERVICES, STUDIO
from tests.contract.frozen import Contract, Rpc

KINDS = {
    "Dataset": "datasets",
    "Model": "models",
    "Adapter": "adapters",
    "Prompt": "prompts",
    "Config": "configs",
    "FineTuningJob": "fine_tuning_jobs",
    "EvaluationJob": "evaluation_jobs",
}


class OlderStudio:
    """Answers the 32 RPCs with messages that have the frozen fields only."""

    def __init__(self) -> None:
        self.contract = Contract()
        self.calls: Counter[str] = Counter()
        self.kept: dict[str, list[Any]] = {items: [] for items in KINDS.values()}
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        handlers = {name: self._handler(rpc) for name, rpc in self.contract.rpcs.items()}
        [service] = {rpc.service for rpc in self.contract.rpcs.values()}
        generic = grpc.method_handlers_generic_handler(service, handlers)
        self._server.add_generic_rpc_handlers((generic,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def stop(self) -> None:
        self._server.stop(0).wait()

    def keep(self, items: str, *rows: dict[str, Any]) -> None:
        """Has these rows of one table."""
        [kind] = (kind for kind, name in KINDS.items() if name == items)
        self.kept[items] += [self.contract.messages[f"{kind}Metadata"](**row) for row in rows]

    def _handler(self, rpc: Rpc) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(
            partial(self._answer, rpc),
            request_deserializer=rpc.request.FromString,
            response_serializer=rpc.response.SerializeToString,
        )

    def _answer(self, rpc: Rpc, request: Any, context: grpc.ServicerContext) -> Any:
        self.calls[rpc.name] += 1
        verb = next(verb for verb in ("List", "Get", "") if rpc.name.startswith(verb))
        kind = rpc.name.removeprefix(verb)
        if verb == "List":
            return rpc.response(**{KINDS[kind[:-1]]: self.kept[KINDS[kind[:-1]]]})
        if verb == "Get" and kind in KINDS:
            for item in self.kept[KINDS[kind]]:
                if item.id == request.id:
                    return rpc.response(**{KINDS[kind][:-1]: item})
            context.abort(grpc.StatusCode.NOT_FOUND, f"{kind} {request.id} not found")
        return rpc.response()


@pytest.fixture
def older() -> Iterator[OlderStudio]:
    studio = OlderStudio()
    yield studio
    studio.stop()


@pytest.fixture
def client(older: OlderStudio) -> Iterator[FineTuningStudioClient]:
    with FineTuningStudioClient("127.0.0.1", older.port, timeout=10) as client:
        yield client


def request_of(name: str, **fields: Any) -> Any:
    return getattr(api, METHODS[name].input_type.name)(**fields)


@pytest.mark.parametrize("name", [method.name for method in STUDIO.methods])
def test_older_studio_answers_every_rpc_of_the_contract(
    client: FineTuningStudioClient, older: OlderStudio, name: str
) -> None:
    for items in older.kept:
        older.keep(items, {"id": "x"})
    fields = METHODS[name].input_type.fields_by_name
    answer = getattr(client, name)(request_of(name, **({"id": "x"} if "id" in fields else {})))
    assert answer.DESCRIPTOR is METHODS[name].output_type
    assert older.calls == {name: 1}


def test_older_studio_fields_arrive_whole(
    client: FineTuningStudioClient, older: OlderStudio
) -> None:
    row = {"id": "j", "adapter_name": "a", "num_cpu": 2, "learning_rate": 0.5}
    older.keep("fine_tuning_jobs", row)
    older.keep("configs", {"id": "c", "is_default": 1})
    assert client.get_fine_tuning_jobs() == [api.FineTuningJobMetadata(**row)]
    assert client.get_configs() == [api.ConfigMetadata(id="c", is_default=1)]
    assert client.get_job("j").num_cpu == 2
    with pytest.raises(NotFoundError, match="Model nope not found"):
        client.GetModel(api.GetModelRequest(id="nope"))


@pytest.mark.parametrize("name", [m.name for s in SERVICES[1:] for m in s.methods])
def test_older_studio_gaps_are_reported(
    client: FineTuningStudioClient, older: OlderStudio, name: str
) -> None:
    method = METHODS[name]
    answered: Any = list if method.server_streaming else lambda response: response
    with pytest.raises(UnimplementedError) as caught:
        answered(getattr(client, name)(request_of(name)))
    assert str(caught.value) == (
        f"the studio at {client.address} lacks {method.containing_service.name}.{name}: "
        "it is of another version"
    )


def test_iteration_ends_after_its_only_page(
    client: FineTuningStudioClient, older: OlderStudio
) -> None:
    rows = [{"id": str(n), "name": "ab"[n % 2], "type": "project"} for n in range(5)]
    older.keep("models", *rows)
    assert [m.id for m in client.iter_models(page_size=2)] == list("01234")
    assert older.calls == {"ListModels": 1}
    wanted = {"name": "a", "type": "project"}
    assert [m.id for m in client.iter_models(filter=wanted)] == list("024")
    assert list(client.iter_models(filter={"name": "c"})) == []
    older.keep("fine_tuning_jobs", {"id": "j"})
    assert list(client.iter_fine_tuning_jobs(filter={"state": "FAILED"})) == []


@pytest.mark.parametrize("items", ["fine_tuning_jobs", "evaluation_jobs"])
def test_job_without_a_kept_state_is_not_waited_for(
    client: FineTuningStudioClient, older: OlderStudio, items: str
) -> None:
    older.keep(items, {"id": "j"})
    with pytest.raises(UnimplementedError, match=f"{client.address} keeps no states of jobs"):
        client.wait_for_job("j")
    assert older.calls["GetFineTuningJob"] == 1


async def test_asyncio_client_finds_the_same(older: OlderStudio) -> None:
    older.keep("models", {"id": "a", "name": "a"}, {"id": "b", "name": "b"})
    older.keep("evaluation_jobs", {"id": "j"})
    async with AsyncFineTuningStudioClient("127.0.0.1", older.port) as client:
        assert [m.id for m in await client.get_models()] == ["a", "b"]
        assert [m.id async for m in client.iter_models(filter={"name": "b"})] == ["b"]
        await client.AddModel(api.AddModelRequest(type="huggingface", huggingface_name="x"))
        for call in (client.wait_for_job("j"), anext(client.TailLogs(request_of("TailLogs")))):
            with pytest.raises(UnimplementedError):
                await call
