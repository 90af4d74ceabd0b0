"""Lists the services or RPCs of a server: `python -m chassis.reflect ADDRESS [SERVICE]`.

It uses gRPC reflection. Without SERVICE, it prints the names of the server's services; with it, the
RPCs of that service with their types. Exit status 0, 1 if the server cannot be reached or does not
know the service, 2 for wrong usage.
"""

import sys
from collections.abc import Iterator

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from ft.text.streams import safe_streams


def services(channel: grpc.Channel) -> list[str]:
    """Full names of the services that the server reflects."""
    return sorted(ProtoReflectionDescriptorDatabase(channel).get_services())


def rpcs(channel: grpc.Channel, service: str) -> Iterator[str]:
    """Each RPC of a service, as a line of proto. Raises KeyError if the server lacks it."""
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    for method in pool.FindServiceByName(service).methods:
        stream = "stream " if method.server_streaming else ""
        request, response = method.input_type.full_name, method.output_type.full_name
        yield f"rpc {method.name}({request}) returns ({stream}{response})"


def main() -> int:
    """Lists what the command line asks for."""
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    address, *service = sys.argv[1:]
    with grpc.insecure_channel(address) as channel:
        try:
            lines = rpcs(channel, service[0]) if service else services(channel)
            for line in lines:
                print(line)
        except grpc.RpcError as error:
            print(f"{address}: {error.code().name}", file=sys.stderr)
            return 1
        except KeyError:
            print(f"{address} does not reflect service {service[0]}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    with safe_streams():
        sys.exit(main())
