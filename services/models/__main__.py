"""Runs the models service: `python -m services.models`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chassis.config import Settings
from chassis.domains import DOMAINS, TABLES
from chassis.paths import ProjectPaths
from chassis.repeats import Forgetting
from chassis.rpc import handlers
from chassis.server import Parts, run
from chassis.store import Store
from chassis.tables import TablesServicer
from jobs.building import JobParts
from services.models.exports.references import References
from services.models.exports.registration import Registration
from services.models.exports.served import ServedExports
from services.models.exports.service import ExportJobs
from services.models.exports.serving import ServedModels
from services.models.exports.store import ExportEvent, ExportJob, ExportLease, ExportStore
from services.models.exports.trained import TrainedPrompts
from services.models.hub import HubModels
from services.models.peers import Adapters, Prompts
from services.models.service import ModelService
from services.models.servicer import ModelsServicer
from services.models.store import Model, ModelStore


def parts(settings: Settings) -> Parts:
    """The service, built from its parts."""
    store = Store(settings.service, settings.store_url, Path(__file__).parent / "migrations")
    models, exports = ModelStore(store), ExportStore(store)
    jobs = JobParts("export job", exports, ExportLease, settings, reported)
    hub = HubModels(settings)
    paths = ProjectPaths(settings)
    service = ModelService(models, paths, hub, jobs.workspace)
    adapters, prompts = Adapters(settings), Prompts(settings)
    references, trained = References(service, adapters), TrainedPrompts(paths, prompts)
    servicer = ModelsServicer(
        service,
        ServedExports(references, ServedModels(jobs.workspace, trained), store),
        ExportJobs(jobs.lifecycle, references, trained, jobs.workspace),
        models,
        Registration(jobs.link, exports, service, models, adapters, jobs.workspace),
        jobs.lifecycle,
        jobs.link,
    )
    tables = TablesServicer(settings, store, Model, ExportJob, ExportEvent)
    return Parts(
        service_names=[DOMAINS["models"].full_name],
        handlers=lambda dispatcher: [
            handlers(DOMAINS["models"], servicer, dispatcher),
            handlers(TABLES, tables, dispatcher),
        ],
        store=store,
        background=[jobs.run, tables.run, Forgetting(store, settings.repeat_days).run],
        close=[adapters.close, prompts.close, hub.close, tables.close],
    )


def reported(
    _job: ExportJob, _event: Mapping[str, Any], _changes: Mapping[str, Any]
) -> dict[str, Any]:
    """What an event changes that only an export job knows: nothing, the job registers itself."""
    return {}


def main() -> None:
    """Serves until told to stop."""
    settings = Settings.load("models")
    run(settings, parts(settings))


if __name__ == "__main__":
    main()
