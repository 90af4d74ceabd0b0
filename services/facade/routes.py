"""Routes of the public contract's RPCs to the domains, made from the descriptors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from chassis.domains import DOMAIN_SERVICES


@dataclass(frozen=True, slots=True)
class Route:
    """One public RPC and the domains that have an RPC of the same name and types."""

    method: MethodDescriptor
    domains: tuple[str, ...]
    """More than one where only the domain itself can tell whether it knows the id."""


class RouteError(Exception):
    """A public RPC that no domain answers."""


def routes(
    service: ServiceDescriptor,
    aggregated: Iterable[str],
    domains: Mapping[str, ServiceDescriptor] = DOMAIN_SERVICES,
) -> list[Route]:
    """A route for every RPC of the service, except for those that the facade aggregates itself.

    Raises RouteError if nobody answers an RPC.
    """
    own = set(aggregated)
    table = [
        Route(method, tuple(name for name, d in domains.items() if _answers(d, method)))
        for method in service.methods
        if method.name not in own
    ]
    orphans = [route.method.full_name for route in table if not route.domains]
    if orphans:
        raise RouteError(f"no domain answers {', '.join(orphans)}")
    return table


def _answers(domain: ServiceDescriptor, method: MethodDescriptor) -> bool:
    twin = domain.methods_by_name.get(method.name)
    return (
        twin is not None
        and twin.input_type is method.input_type
        and twin.output_type is method.output_type
        and twin.server_streaming == method.server_streaming
    )
