"""Runs the fine-tuning service: `python -m services.fine_tuning`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chassis.config import Settings
from chassis.domains import DOMAINS, TABLES
from chassis.paths import ProjectPaths
from chassis.rpc import handlers
from chassis.server import Parts, run
from chassis.store import Store
from chassis.tables import TablesServicer
from jobs.building import JobParts
from services.fine_tuning.checks import Checks
from services.fine_tuning.peers import Peers
from services.fine_tuning.service import FineTuningService
from services.fine_tuning.servicer import FineTuningServicer
from services.fine_tuning.store import (
    FineTuningEvent,
    FineTuningJob,
    FineTuningLease,
    FineTuningStore,
)
from services.fine_tuning.validate import Validation


def parts(settings: Settings) -> Parts:
    """The service, built from its parts."""
    store = Store(settings.service, settings.store_url, Path(__file__).parent / "migrations")
    jobs = FineTuningStore(store)
    peers = Peers(settings)
    job_parts = JobParts("fine-tuning job", jobs, FineTuningLease, settings, reported)
    paths = ProjectPaths(settings)
    checks = Checks(jobs, peers, paths, job_parts.workspace)
    workspace = job_parts.workspace
    service = FineTuningService(job_parts.lifecycle, jobs, checks, peers, paths, workspace)
    validation = Validation(checks, jobs, peers, job_parts.workspace)
    servicer = FineTuningServicer(service, validation, job_parts.lifecycle, job_parts.link)
    tables = TablesServicer(settings, store, FineTuningJob, FineTuningEvent)
    return Parts(
        service_names=[DOMAINS["fine_tuning"].full_name],
        handlers=lambda dispatcher: [
            handlers(DOMAINS["fine_tuning"], servicer, dispatcher),
            handlers(TABLES, tables, dispatcher),
        ],
        store=store,
        background=[job_parts.run, tables.run],
        close=[*peers.closers(), tables.close],
    )


def reported(
    _job: FineTuningJob, event: Mapping[str, Any], _changes: Mapping[str, Any]
) -> dict[str, Any]:
    """What an event changes that only a fine-tuning job knows."""
    if event.get("event") == "registered":
        return {"adapter_id": str(event.get("adapter_id") or "") or None}
    if event.get("event") == "manifest" and isinstance(event.get("manifest"), dict):
        return {"manifest": json.dumps(event.get("manifest"), ensure_ascii=False)}
    return {}


def main() -> None:
    """Serves until told to stop."""
    settings = Settings.load("fine_tuning")
    run(settings, parts(settings))


if __name__ == "__main__":
    main()
