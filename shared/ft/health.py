"""Health checks of the studio's servers, by the standard health protocol."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ft import domains
from ft.channel import channel_options

SERVING = "SERVING"
UNREACHABLE = "UNREACHABLE"
UNKNOWN = "SERVICE_UNKNOWN"
DOMAINS = tuple(domains.DOMAINS)
"""The domains of the studio, each an entry of the facade's health."""


def check(channel: grpc.Channel, entry: str, timeout: float = 2.0) -> str:
    """The status of one entry: SERVING, NOT_SERVING, SERVICE_UNKNOWN or UNREACHABLE."""
    request = health_pb2.HealthCheckRequest(service=entry)
    try:
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout)
    except grpc.RpcError as error:
        unknown = isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.NOT_FOUND
        return UNKNOWN if unknown else UNREACHABLE
    name: str = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    return name


def check_address(address: str, entry: str = "", timeout: float = 2.0) -> str:
    """The status of an entry of the server at `host:port` or `unix:<path>`."""
    with grpc.insecure_channel(address, options=channel_options()) as channel:
        return check(channel, entry, timeout)
