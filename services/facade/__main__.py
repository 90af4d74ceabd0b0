"""Runs the facade: `python -m services.facade`."""

from collections.abc import Sequence
from typing import Any

import grpc

from chassis.config import Settings
from chassis.domains import DOMAINS, TABLES
from chassis.paths import ProjectPaths
from chassis.peers import Link
from chassis.rpc import Dispatcher, handlers
from chassis.server import Parts, run
from ft.channel import MAX_DOCUMENT_BYTES
from ft.services import DATABASE, JOBS, SERVICES, STUDIO
from jobs.publish import publish_address
from services.facade.aggregate import AGGREGATED, DatabaseServicer
from services.facade.forward import forwarded
from services.facade.routes import routes
from services.facade.watch import DomainWatch

LISTEN = "[::]:50051"


def parts(settings: Settings) -> Parts:
    """The facade, built from its parts."""
    links = {name: Link(name, settings, service) for name, service in DOMAINS.items()}
    tables = {name: Link(name, settings, TABLES) for name in DOMAINS}
    database = DatabaseServicer(tables, ProjectPaths(settings))
    names = [service.full_name for service in SERVICES]

    def make_handlers(dispatcher: Dispatcher) -> "Sequence[grpc.GenericRpcHandler[Any, Any]]":
        served = [
            grpc.method_handlers_generic_handler(
                service.full_name,
                forwarded(routes(service, aggregated=AGGREGATED), links, dispatcher),
            )
            for service in (STUDIO, JOBS)
        ]
        own = [
            handlers(service, database, dispatcher, only=AGGREGATED)
            for service in (STUDIO, DATABASE)
        ]
        return [*served, *own]

    return Parts(
        service_names=names,
        handlers=make_handlers,
        watch=[DomainWatch(links, overall=names).run],
        started=publish_address,
        max_message_bytes=MAX_DOCUMENT_BYTES,
        close=[link.close for link in (*links.values(), *tables.values())],
    )


def main() -> None:
    """Serves until told to stop."""
    settings = Settings.load("facade", default_listen=LISTEN)
    run(settings, parts(settings))


if __name__ == "__main__":
    main()
