"""Builder of the process of a domain, which has a store."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from chassis.config import Settings
from chassis.domains import DOMAIN_SERVICES, TABLES
from chassis.rpc.dispatch import handlers
from chassis.rpc.server import ServiceParts
from chassis.service import Service
from chassis.store.engine import Store
from chassis.store.idempotency import IdempotencyStore
from chassis.store.records import Record
from chassis.transfer.tables import TablesServicer
from ft.domains import DOMAINS


@dataclass(frozen=True)
class DomainParts:
    """Parts of a domain, in addition to the parts of every domain's process."""

    servicer: object
    """Answers the RPCs of the domain's service."""
    records: Sequence[type[Record]]
    """Kinds of records that exports carry; one that belongs to another comes after it."""
    background: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    """Background work, started when the store is open."""
    close: Sequence[Callable[[], Awaitable[None]]] = ()
    """Called after the last call."""


def domain_service(
    name: str, folder: Path, build: Callable[[Settings, Store], DomainParts]
) -> Service:
    """Returns the service of a domain: `build` makes its own parts, given its store.

    `folder` is the service's folder, which has its `migrations`.
    """

    def parts(settings: Settings) -> ServiceParts:
        store = Store(settings.service, settings.store_url, folder / "migrations")
        own = build(settings, store)
        tables = TablesServicer(settings, store, *own.records)
        background = [*own.background, tables.run]
        if DOMAINS[name].keeps_requests:
            background.append(partial(IdempotencyStore(store).run, settings.repeat_days))
        return ServiceParts(
            service_names=[DOMAIN_SERVICES[name].full_name],
            handlers=lambda dispatcher: [
                handlers(DOMAIN_SERVICES[name], own.servicer, dispatcher),
                handlers(TABLES, tables, dispatcher),
            ],
            store=store,
            background=background,
            close=[*own.close, tables.close],
        )

    return Service(name, parts)
