"""Options of channels and servers: gRPC ignores a name that it does not know, silently."""

from pathlib import Path

import pytest
from grpc._cython import cygrpc

from chassis.domains import DOMAIN_SERVICES
from chassis.rpc.server import server_options
from ft.channel import channel_options

CORE = Path(cygrpc.__file__).read_bytes()
NAMES = {name for name, _ in (*server_options(), *channel_options(*DOMAIN_SERVICES.values()))}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_channel_options_are_known_to_grpc(name: str) -> None:
    assert name.encode() in CORE
