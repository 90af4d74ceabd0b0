"""Runs the models service: `python -m services.models`."""

from pathlib import Path

from chassis.config import Settings
from chassis.domain_service import DomainParts, domain_service
from chassis.paths import ProjectPaths
from chassis.store.engine import Store
from ft.job_protocol.reports import JobKind
from jobs.building import JobParts
from services.models.exports.adapter import AdapterChecks
from services.models.exports.references import ExportReferences
from services.models.exports.registration import ExportRegistration
from services.models.exports.served import ServedExports
from services.models.exports.service import ExportService
from services.models.exports.serving import WorkspaceModels
from services.models.exports.store import ExportEvent, ExportJob, ExportLease, ExportStore
from services.models.exports.trained import TrainedPrompts
from services.models.hub import HubModels
from services.models.peers import ModelPeers
from services.models.service import ModelService
from services.models.servicer import ModelsServicer
from services.models.store import Model, ModelStore


def build(settings: Settings, store: Store) -> DomainParts:
    """The parts that only this domain has.

    An export job registers its model itself, so its events change only its state."""
    models, exports = ModelStore(store), ExportStore(store)
    jobs = JobParts(JobKind.EXPORT, exports, ExportLease, settings)
    hub, paths, peers = HubModels(settings), ProjectPaths(settings), ModelPeers(settings)
    rules = ModelService(models, paths, hub, jobs.workspace)
    references, files = ExportReferences(models, peers), AdapterChecks(paths)
    prompts = TrainedPrompts(paths, peers)
    served = ServedExports(references, WorkspaceModels(jobs.workspace, prompts, files), store)
    servicer = ModelsServicer(
        rules,
        ExportService(jobs.lifecycle, served, references, prompts, files, jobs.workspace),
        models,
        ExportRegistration(jobs.receiver, exports, rules, models, peers, jobs.workspace),
        jobs.lifecycle,
        jobs.receiver,
    )
    return DomainParts(
        servicer,
        [Model, ExportJob, ExportEvent],
        background=[jobs.run],
        close=[peers.close, hub.close],
    )


service = domain_service("models", Path(__file__).parent, build)

if __name__ == "__main__":
    service.run()
