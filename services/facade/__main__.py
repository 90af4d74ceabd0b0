"""Runs the facade: `python -m services.facade`."""

from collections.abc import Sequence
from typing import Any

import grpc

from chassis.config import Settings
from chassis.domains import DOMAIN_SERVICES, TABLES
from chassis.paths import ProjectPaths
from chassis.rpc.dispatch import RpcDispatcher, handlers
from chassis.rpc.peers import PeerChannel
from chassis.rpc.server import ServiceParts
from chassis.service import Service
from ft.channel import MAX_DOCUMENT_BYTES
from ft.services import SERVICES
from jobs.workspace.publish import publish_address
from services.facade.aggregate import AGGREGATED, DatabaseServicer
from services.facade.forward import forwarded
from services.facade.routes import routes
from services.facade.watch import DomainWatch

LISTEN = "[::]:50051"


def parts(settings: Settings) -> ServiceParts:
    """The facade, built from its parts."""
    channels = {
        name: PeerChannel(name, settings, domain) for name, domain in DOMAIN_SERVICES.items()
    }
    tables = {name: PeerChannel(name, settings, TABLES) for name in DOMAIN_SERVICES}
    database = DatabaseServicer(tables, ProjectPaths(settings))
    names = [public.full_name for public in SERVICES]

    def make_handlers(dispatcher: RpcDispatcher) -> "Sequence[grpc.GenericRpcHandler[Any, Any]]":
        served = [
            grpc.method_handlers_generic_handler(
                public.full_name,
                forwarded(routes(public, aggregated=AGGREGATED), channels, dispatcher),
            )
            for public in SERVICES
        ]
        own = [handlers(public, database, dispatcher, only=AGGREGATED) for public in SERVICES]
        return [*served, *own]

    return ServiceParts(
        service_names=names,
        handlers=make_handlers,
        watch=[DomainWatch(channels, overall=names).run],
        started=publish_address,
        max_message_bytes=MAX_DOCUMENT_BYTES,
        close=[channel.close for channel in (*channels.values(), *tables.values())],
    )


service = Service("facade", parts, default_listen=LISTEN)

if __name__ == "__main__":
    service.run()
