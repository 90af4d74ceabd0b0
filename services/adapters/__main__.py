"""Runs the adapters service: `python -m services.adapters`."""

from pathlib import Path

from chassis.config import Settings
from chassis.domains import DOMAINS, TABLES
from chassis.paths import ProjectPaths
from chassis.repeats import Forgetting
from chassis.rpc import handlers
from chassis.server import Parts, run
from chassis.store import Store
from chassis.tables import TablesServicer
from services.adapters.hub import HubAdapters
from services.adapters.peers import References
from services.adapters.service import AdapterService
from services.adapters.servicer import AdaptersServicer
from services.adapters.store import Adapter, AdapterStore


def parts(settings: Settings) -> Parts:
    """The service, built from its parts."""
    store = Store(settings.service, settings.store_url, Path(__file__).parent / "migrations")
    adapters = AdapterStore(store)
    references = References(settings)
    hub = HubAdapters(settings)
    service = AdapterService(adapters, ProjectPaths(settings), references, hub)
    servicer = AdaptersServicer(service, adapters)
    tables = TablesServicer(settings, store, Adapter)
    forgetting = Forgetting(store, settings.repeat_days)
    return Parts(
        service_names=[DOMAINS["adapters"].full_name],
        handlers=lambda dispatcher: [
            handlers(DOMAINS["adapters"], servicer, dispatcher),
            handlers(TABLES, tables, dispatcher),
        ],
        store=store,
        background=[tables.run, forgetting.run],
        close=[references.close, hub.close, tables.close],
    )


def main() -> None:
    """Serves until told to stop."""
    settings = Settings.load("adapters")
    run(settings, parts(settings))


if __name__ == "__main__":
    main()
