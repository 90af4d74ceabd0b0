"""Runs the evaluation service: `python -m services.evaluation`."""

from pathlib import Path

from chassis.config import Settings
from chassis.domain_service import DomainParts, domain_service
from chassis.store.engine import Store
from ft.job_protocol.reports import JobKind
from jobs.building import JobParts
from services.evaluation.checks import EvaluationChecks
from services.evaluation.events import changes_of_event
from services.evaluation.peers import EvaluationPeers
from services.evaluation.service import EvaluationService
from services.evaluation.servicer import EvaluationServicer
from services.evaluation.store import (
    EvaluationEvent,
    EvaluationJob,
    EvaluationLease,
    EvaluationStore,
)
from services.evaluation.validate import EvaluationValidator


def build(settings: Settings, store: Store) -> DomainParts:
    """The parts that only this domain has."""
    records, peers = EvaluationStore(store), EvaluationPeers(settings)
    jobs = JobParts(JobKind.EVALUATION, records, EvaluationLease, settings, changes_of_event)
    checks = EvaluationChecks(peers, jobs.workspace, settings.project)
    rules = EvaluationService(jobs.lifecycle, checks, peers)
    validator = EvaluationValidator(checks, peers, jobs.workspace)
    servicer = EvaluationServicer(rules, validator, jobs.lifecycle, jobs.receiver)
    return DomainParts(
        servicer,
        [EvaluationJob, EvaluationEvent],
        background=[jobs.run],
        close=peers.closers(),
    )


service = domain_service("evaluation", Path(__file__).parent, build)

if __name__ == "__main__":
    service.run()
