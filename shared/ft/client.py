"""The client of Fine Tuning Studio, for scripts and for jobs. `ft.api` has its messages."""

import ipaddress
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import grpc
from google.protobuf.descriptor import MethodDescriptor

from ft import errors
from ft.channel import channel_options, may_repeat
from ft.errors import FieldViolation, StudioError
from ft.proto import fine_tuning_studio_database_pb2 as database_pb2
from ft.proto import fine_tuning_studio_jobs_pb2 as jobs_pb2
from ft.proto import fine_tuning_studio_pb2 as studio_pb2
from ft.proto.fine_tuning_studio_database_pb2_grpc import FineTuningStudioDatabaseStub
from ft.proto.fine_tuning_studio_jobs_pb2_grpc import FineTuningStudioJobsStub
from ft.proto.fine_tuning_studio_pb2_grpc import FineTuningStudioStub
from ft.rpcs import Rpcs

__all__ = ["FieldViolation", "FineTuningStudioClient", "StudioError"]

DEFAULT_TIMEOUT_SECONDS = 60.0
CONNECT_SECONDS = 5.0
"""How long a studio that is away is waited for: a restart takes less than a second."""
STREAM_SECONDS = 86_400.0
"""Deadline of a stream without one of its own."""

STUDIO = studio_pb2.DESCRIPTOR.services_by_name["FineTuningStudio"]
JOBS = jobs_pb2.DESCRIPTOR.services_by_name["FineTuningStudioJobs"]
DATABASE = database_pb2.DESCRIPTOR.services_by_name["FineTuningStudioDatabase"]


class FineTuningStudioClient(Rpcs):
    """Calls a studio. Every RPC is a method: `client.GetModel(GetModelRequest(id=...)).model`.

    `server_ip` and `server_port` come from FINE_TUNING_SERVICE_IP and FINE_TUNING_SERVICE_PORT
    where they are not given; an IP may be a host name too. `timeout` is the deadline of a call in
    seconds, unless the call has one of its own.

    Calls that change nothing, or that may be sent twice, are sent again when the studio is away
    for a moment; the others are sent once. Raises ValueError if the address is missing or wrong,
    and `StudioError`, which is a ValueError, from calls. Safe to share between threads.
    """

    def __init__(
        self,
        server_ip: str | None = None,
        server_port: str | int | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        self.address = _address(server_ip, server_port)
        self.timeout = timeout
        self.channel = grpc.insecure_channel(
            self.address, options=channel_options(STUDIO, JOBS, DATABASE)
        )
        self.stub = FineTuningStudioStub(self.channel)
        stubs = (
            (self.stub, STUDIO),
            (FineTuningStudioJobsStub(self.channel), JOBS),
            (FineTuningStudioDatabaseStub(self.channel), DATABASE),
        )
        for stub, service in stubs:
            for method in service.methods:
                setattr(self, method.name, self._rpc(method, getattr(stub, method.name)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection and every call in flight."""
        self.channel.close()

    def wait_until_connected(self, seconds: float = CONNECT_SECONDS) -> None:
        """Returns once the studio's server is connected; says nothing about its health.

        Raises StudioError (UNAVAILABLE) when it is not within `seconds`.
        """
        ready = grpc.channel_ready_future(self.channel)
        try:
            ready.result(timeout=seconds)
        except grpc.FutureTimeoutError:
            raise errors.unreachable(self.address) from None
        finally:
            ready.cancel()

    def get_datasets(self) -> list[studio_pb2.DatasetMetadata]:
        """All datasets."""
        return list(self.ListDatasets(studio_pb2.ListDatasetsRequest()).datasets)

    def get_models(self) -> list[studio_pb2.ModelMetadata]:
        """All base models."""
        return list(self.ListModels(studio_pb2.ListModelsRequest()).models)

    def get_adapters(self) -> list[studio_pb2.AdapterMetadata]:
        """All adapters."""
        return list(self.ListAdapters(studio_pb2.ListAdaptersRequest()).adapters)

    def get_prompts(self) -> list[studio_pb2.PromptMetadata]:
        """All prompts."""
        return list(self.ListPrompts(studio_pb2.ListPromptsRequest()).prompts)

    def get_fine_tuning_jobs(self) -> list[studio_pb2.FineTuningJobMetadata]:
        """All fine-tuning jobs."""
        request = studio_pb2.ListFineTuningJobsRequest()
        return list(self.ListFineTuningJobs(request).fine_tuning_jobs)

    def get_evaluation_jobs(self) -> list[studio_pb2.EvaluationJobMetadata]:
        """All evaluation jobs."""
        request = studio_pb2.ListEvaluationJobsRequest()
        return list(self.ListEvaluationJobs(request).evaluation_jobs)

    def _rpc(self, method: MethodDescriptor, send: Callable[..., Any]) -> Callable[..., Any]:
        if method.server_streaming:

            def stream(request: Any, *, timeout: float | None = None) -> Iterator[Any]:
                return self._stream(method, send, request, timeout or STREAM_SECONDS)

            call: Callable[..., Any] = stream
        else:

            def unary(request: Any, *, timeout: float | None = None) -> Any:
                return self._unary(method, send, request, timeout or self.timeout)

            call = unary
        call.__name__ = call.__qualname__ = method.name
        return call

    def _unary(
        self, method: MethodDescriptor, send: Callable[..., Any], request: Any, seconds: float
    ) -> Any:
        deadline = time.monotonic() + seconds
        if not may_repeat(method):
            # Sent once only, so it had better not be sent to a server that is just restarting.
            self.wait_until_connected(min(CONNECT_SECONDS, seconds))
        try:
            return send(request, timeout=deadline - time.monotonic())
        except grpc.RpcError as first:
            error = errors.from_rpc_error(first, method.name, self.address)
        if not (may_repeat(method) and error.reason == errors.UNREACHABLE):
            raise error
        self.wait_until_connected(min(CONNECT_SECONDS, deadline - time.monotonic()))
        try:
            return send(request, timeout=deadline - time.monotonic())
        except grpc.RpcError as second:
            raise errors.from_rpc_error(second, method.name, self.address) from None

    def _stream(
        self, method: MethodDescriptor, send: Callable[..., Any], request: Any, seconds: float
    ) -> Iterator[Any]:
        responses = send(request, timeout=seconds)
        try:
            yield from responses
        except grpc.RpcError as error:
            raise errors.from_rpc_error(error, method.name, self.address) from None
        finally:
            responses.cancel()


def _address(server_ip: str | None, server_port: str | int | None) -> str:
    host = (server_ip or os.environ.get("FINE_TUNING_SERVICE_IP", "")).strip().strip("[]")
    port = str(server_port or os.environ.get("FINE_TUNING_SERVICE_PORT", "")).strip()
    if not host:
        raise ValueError("server_ip: not given, and FINE_TUNING_SERVICE_IP is not set")
    if not port:
        raise ValueError("server_port: not given, and FINE_TUNING_SERVICE_PORT is not set")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"server_port: {port!r} is not a port number from 1 to 65535")
    try:
        return f"[{host}]:{port}" if ipaddress.ip_address(host).version == 6 else f"{host}:{port}"
    except ValueError:
        return f"{host}:{port}"
