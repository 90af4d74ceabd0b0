"""Runs the models service: `python -m services.models`."""

from pathlib import Path

from chassis.config import Settings
from chassis.paths import ProjectPaths
from chassis.service import DomainParts, domain_service
from chassis.store.engine import Store
from ft.job_protocol.reports import JobKind
from jobs.building import JobParts
from services.models.exports.adapter import AdapterChecks
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


def build(settings: Settings, store: Store) -> DomainParts:
    """The parts that only this domain has.

    An export job registers its model itself, so its events change only its state."""
    models, exports = ModelStore(store), ExportStore(store)
    jobs = JobParts(JobKind.EXPORT, exports, ExportLease, settings)
    hub, paths = HubModels(settings), ProjectPaths(settings)
    rules = ModelService(models, paths, hub, jobs.workspace)
    adapters, prompts = Adapters(settings), Prompts(settings)
    references, trained = References(rules, adapters), TrainedPrompts(paths, prompts)
    files = AdapterChecks(paths)
    servicer = ModelsServicer(
        rules,
        ServedExports(references, ServedModels(jobs.workspace, trained, files), store),
        ExportJobs(jobs.lifecycle, references, trained, files, jobs.workspace),
        models,
        Registration(jobs.receiver, exports, rules, models, adapters, jobs.workspace),
        jobs.lifecycle,
        jobs.receiver,
    )
    return DomainParts(
        servicer,
        [Model, ExportJob, ExportEvent],
        background=[jobs.run],
        close=[adapters.close, prompts.close, hub.close],
    )


service = domain_service("models", Path(__file__).parent, build)

if __name__ == "__main__":
    service.run()
