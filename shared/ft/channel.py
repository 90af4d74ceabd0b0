"""Options of gRPC channels: those of clients and those between services."""

import json
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Largest message that is sent or accepted. gRPC's default, 4 MiB, is some 13,000 dataset rows."""
MAX_DOCUMENT_BYTES = 256 * 1024 * 1024
"""Largest export in one message, between a client and the facade."""

_RETRY_POLICY = {
    "maxAttempts": 4,
    "initialBackoff": "0.05s",
    "maxBackoff": "0.5s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
_REPEATABLE = (MethodOptions.NO_SIDE_EFFECTS, MethodOptions.IDEMPOTENT)
_CONNECTION = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    # In spite of its name this is how long one attempt to connect may take: below a slow network's
    # handshake it would never succeed.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # The studio is reached directly, also where a proxy is set for the internet.
    ("grpc.enable_http_proxy", 0),
)


def may_repeat(method: MethodDescriptor) -> bool:
    """True if a call may be sent again although the first one may have been served.

    The contract states it by the standard option `idempotency_level`.
    """
    return method.GetOptions().idempotency_level in _REPEATABLE


def channel_options(
    *services: ServiceDescriptor, max_bytes: int = MAX_MESSAGE_BYTES
) -> list[tuple[str, Any]]:
    """Options for a channel to these services, for messages of up to `max_bytes`.

    gRPC repeats calls that fail with UNAVAILABLE up to three times, if the method may be repeated.
    It reconnects within half a second; its default is up to two minutes.
    """
    names = [
        {"service": service.full_name, "method": method.name}
        for service in services
        for method in service.methods
        if may_repeat(method)
    ]
    config: dict[str, Any] = {}
    if names:
        config["methodConfig"] = [{"name": names, "retryPolicy": _RETRY_POLICY}]
    return [
        ("grpc.service_config", json.dumps(config)),
        *_CONNECTION,
        ("grpc.max_receive_message_length", max_bytes),
        ("grpc.max_send_message_length", max_bytes),
    ]
