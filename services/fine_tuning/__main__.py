"""Runs the fine-tuning service: `python -m services.fine_tuning`."""

from pathlib import Path

from chassis.config import Settings
from chassis.domain_service import DomainParts, domain_service
from chassis.paths import ProjectPaths
from chassis.store.engine import Store
from ft.job_protocol.reports import JobKind
from jobs.building import JobParts
from services.fine_tuning.checks import FineTuningChecks
from services.fine_tuning.events import changes_of_event
from services.fine_tuning.peers import FineTuningPeers
from services.fine_tuning.service import FineTuningService
from services.fine_tuning.servicer import FineTuningServicer
from services.fine_tuning.store import (
    FineTuningEvent,
    FineTuningJob,
    FineTuningLease,
    FineTuningStore,
)
from services.fine_tuning.validate import FineTuningValidator


def build(settings: Settings, store: Store) -> DomainParts:
    """The parts that only this domain has."""
    records, peers, paths = (
        FineTuningStore(store),
        FineTuningPeers(settings),
        ProjectPaths(settings),
    )
    jobs = JobParts(JobKind.FINE_TUNING, records, FineTuningLease, settings, changes_of_event)
    checks = FineTuningChecks(records, peers, paths, jobs.workspace)
    rules = FineTuningService(jobs.lifecycle, records, checks, peers, paths, jobs.workspace)
    validator = FineTuningValidator(checks, records, peers, jobs.workspace)
    servicer = FineTuningServicer(rules, validator, jobs.lifecycle, jobs.receiver)
    return DomainParts(
        servicer,
        [FineTuningJob, FineTuningEvent],
        background=[jobs.run],
        close=peers.closers(),
    )


service = domain_service("fine_tuning", Path(__file__).parent, build)

if __name__ == "__main__":
    service.run()
