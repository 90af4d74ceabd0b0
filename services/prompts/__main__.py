"""Runs the prompts service: `python -m services.prompts`."""

from pathlib import Path

from chassis.config import Settings
from chassis.domains import DOMAINS, TABLES
from chassis.repeats import Forgetting
from chassis.rpc import handlers
from chassis.server import Parts, run
from chassis.store import Store
from chassis.tables import TablesServicer
from services.prompts.peers import Datasets
from services.prompts.service import PromptService
from services.prompts.servicer import PromptsServicer
from services.prompts.store import Prompt, PromptStore


def parts(settings: Settings) -> Parts:
    """The service, built from its parts."""
    store = Store(settings.service, settings.store_url, Path(__file__).parent / "migrations")
    prompts = PromptStore(store)
    datasets = Datasets(settings)
    servicer = PromptsServicer(PromptService(prompts, datasets), prompts)
    tables = TablesServicer(settings, store, Prompt)
    forgetting = Forgetting(store, settings.repeat_days)
    return Parts(
        service_names=[DOMAINS["prompts"].full_name],
        handlers=lambda dispatcher: [
            handlers(DOMAINS["prompts"], servicer, dispatcher),
            handlers(TABLES, tables, dispatcher),
        ],
        store=store,
        background=[tables.run, forgetting.run],
        close=[datasets.close, tables.close],
    )


def main() -> None:
    """Serves until told to stop."""
    settings = Settings.load("prompts")
    run(settings, parts(settings))


if __name__ == "__main__":
    main()
