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
from ft.proto import fine_tuning_studio_jobs_pb2, fine_tuning_studio_pb2
from jobs.publish import publish_address
from services.facade.aggregate import AGGREGATED, DatabaseServicer
from services.facade.forward import forwarded
from services.facade.routes import routes
from services.facade.watch import DomainWatch

STUDIO = fine_tuning_studio_pb2.DESCRIPTOR.services_by_name["FineTuningStudio"]
STUDIO_JOBS = fine_tuning_studio_jobs_pb2.DESCRIPTOR.services_by_name["FineTuningStudioJobs"]
LISTEN = "[::]:50051"


def parts(settings: Settings) -> Parts:
    """The facade, built from its parts."""
    links = {name: Link(name, settings, service) for name, service in DOMAINS.items()}
    tables = {name: Link(name, settings, TABLES) for name in DOMAINS}
    database = DatabaseServicer(tables, ProjectPaths(settings))
    names = [STUDIO.full_name, STUDIO_JOBS.full_name]

    def make_handlers(dispatcher: Dispatcher) -> "Sequence[grpc.GenericRpcHandler[Any, Any]]":
        served = [
            grpc.method_handlers_generic_handler(
                service.full_name,
                forwarded(routes(service, aggregated=AGGREGATED), links, dispatcher),
            )
            for service in (STUDIO, STUDIO_JOBS)
        ]
        return [*served, handlers(STUDIO, database, dispatcher, only=AGGREGATED)]

    return Parts(
        service_names=names,
        handlers=make_handlers,
        watch=[DomainWatch(links, overall=names).run],
        started=publish_address,
        close=[link.close for link in (*links.values(), *tables.values())],
    )


def main() -> None:
    """Serves until told to stop."""
    settings = Settings.load("facade", default_listen=LISTEN)
    run(settings, parts(settings))


if __name__ == "__main__":
    main()
