"""Runs the evaluation service: `python -m services.evaluation`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chassis.config import Settings
from chassis.domains import DOMAINS, TABLES
from chassis.rpc import handlers
from chassis.server import Parts, run
from chassis.store import Store
from chassis.tables import TablesServicer
from jobs.building import JobParts
from jobs.reports import is_count, is_number
from services.evaluation.checks import Checks
from services.evaluation.peers import Peers
from services.evaluation.service import EvaluationService
from services.evaluation.servicer import EvaluationServicer
from services.evaluation.store import (
    EvaluationEvent,
    EvaluationJob,
    EvaluationLease,
    EvaluationStore,
)
from services.evaluation.validate import Validation


def parts(settings: Settings) -> Parts:
    """The service, built from its parts."""
    store = Store(settings.service, settings.store_url, Path(__file__).parent / "migrations")
    jobs = EvaluationStore(store)
    peers = Peers(settings)
    job_parts = JobParts("evaluation job", jobs, EvaluationLease, settings, reported)
    checks = Checks(peers, job_parts.workspace)
    service = EvaluationService(job_parts.lifecycle, checks, peers)
    validation = Validation(checks, peers, job_parts.workspace)
    servicer = EvaluationServicer(service, validation, job_parts.lifecycle, job_parts.link)
    tables = TablesServicer(settings, store, EvaluationJob, EvaluationEvent)
    return Parts(
        service_names=[DOMAINS["evaluation"].full_name],
        handlers=lambda dispatcher: [
            handlers(DOMAINS["evaluation"], servicer, dispatcher),
            handlers(TABLES, tables, dispatcher),
        ],
        store=store,
        background=[job_parts.run, tables.run],
        close=[*peers.closers(), tables.close],
    )


def reported(
    job: EvaluationJob, event: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """What an event changes that only an evaluation job knows."""
    if event.get("event") == "metrics":
        metrics, rows = event.get("metrics"), event.get("rows")
        scores = metrics.items() if isinstance(metrics, dict) else ()
        return {
            "metrics": json.dumps({name: score for name, score in scores if is_number(score)}),
            "rows": rows if is_count(rows) else None,
        }
    if event.get("event") == "sample":
        sample = {key: str(event.get(key, "")) for key in ("input", "expected", "output")}
        samples = json.loads(changes.get("samples") or job.samples or "[]")
        if sample not in samples:
            return {"samples": json.dumps([*samples, sample])}
    return {}


def main() -> None:
    """Serves until told to stop."""
    settings = Settings.load("evaluation")
    run(settings, parts(settings))


if __name__ == "__main__":
    main()
