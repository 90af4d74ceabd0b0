"""The gRPC services of a studio: the contract's own first, then the studio's additions."""

from importlib import import_module

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

FILES = ("fine_tuning_studio", "fine_tuning_studio_jobs", "fine_tuning_studio_database")
"""Files of `proto/` with a public service each."""


def _service(file: str) -> ServiceDescriptor:
    services: dict[str, ServiceDescriptor] = import_module(
        f"ft.proto.{file}_pb2"
    ).DESCRIPTOR.services_by_name
    [service] = services.values()
    return service


SERVICES = tuple(_service(file) for file in FILES)
STUDIO, JOBS, DATABASE = SERVICES[:3]

METHODS: dict[str, MethodDescriptor] = {
    method.name: method for service in SERVICES for method in service.methods
}
"""Every RPC by its name; no two services share one."""
