"""Health probe for containers: `python -m chassis.probe ADDRESS [SERVICE]`.

Exit status 0 if the service is SERVING, 1 if it is not or cannot be reached, 2 for wrong usage.
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_SECONDS = 3.0


def probe(address: str, service: str = "") -> str:
    """The name of the serving status at that address; UNREACHABLE if there is no answer."""
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            response = health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT_SECONDS)
        except grpc.RpcError:
            return "UNREACHABLE"
    name: str = health_pb2.HealthCheckResponse.ServingStatus.Name(response.status)
    return name


def main() -> int:
    """Probes what the command line names."""
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    status = probe(*sys.argv[1:])
    print(status)
    return 0 if status == "SERVING" else 1


if __name__ == "__main__":
    sys.exit(main())
