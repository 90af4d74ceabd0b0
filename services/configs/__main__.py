"""Runs the configs service: `python -m services.configs`."""

from pathlib import Path

from chassis.config import Settings
from chassis.domains import DOMAINS, TABLES
from chassis.repeats import Forgetting
from chassis.rpc import handlers
from chassis.server import Parts, run
from chassis.store import Store
from chassis.tables import TablesServicer
from services.configs.peers import Owners
from services.configs.service import ConfigService
from services.configs.servicer import ConfigsServicer
from services.configs.store import Config, ConfigStore


def parts(settings: Settings) -> Parts:
    """The service, built from its parts."""
    store = Store(settings.service, settings.store_url, Path(__file__).parent / "migrations")
    configs = ConfigStore(store)
    owners = Owners(settings)
    servicer = ConfigsServicer(ConfigService(configs, owners), configs)
    tables = TablesServicer(settings, store, Config)
    forgetting = Forgetting(store, settings.repeat_days)
    return Parts(
        service_names=[DOMAINS["configs"].full_name],
        handlers=lambda dispatcher: [
            handlers(DOMAINS["configs"], servicer, dispatcher),
            handlers(TABLES, tables, dispatcher),
        ],
        store=store,
        background=[tables.run, forgetting.run],
        close=[owners.close, tables.close],
    )


def main() -> None:
    """Serves until told to stop."""
    settings = Settings.load("configs")
    run(settings, parts(settings))


if __name__ == "__main__":
    main()
