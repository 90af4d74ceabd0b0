"""Builder of the parts that all job domains have in common."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Generic, TypeVar

from chassis.config import Settings
from ft.job_protocol import variables
from ft.job_protocol.events import JobEvent
from ft.job_protocol.reports import JobKind
from jobs.execution.dispatch import LATE, JobDispatcher
from jobs.execution.lease import Lease, LeaseRecord
from jobs.execution.observer import LOST_AFTER, Changes, ChangesOfEvent, Observer
from jobs.execution.reconciler import UNTOUCHED, Reconciler
from jobs.execution.report_receiver import ReportReceiver
from jobs.lifecycle import PATIENCE, JobLifecycle
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords
from jobs.workspace.client import Workspace

Job = TypeVar("Job", bound=JobRecord)


def no_changes(_job: JobRecord, _event: JobEvent, _changes: Changes) -> Changes:
    """Returns no columns: the default for job kinds whose events change nothing further."""
    return {}


class JobParts(Generic[Job]):
    """A job domain's lifecycle, the receiver of its jobs' reports, and its work in the background.

    `changes_of_event` as in `Observer`.
    """

    def __init__(
        self,
        kind: JobKind,
        records: JobRecords[Job],
        lease: type[LeaseRecord],
        settings: Settings,
        changes_of_event: ChangesOfEvent[Job] = no_changes,
    ) -> None:
        seconds, project = settings.workspace_request_seconds, settings.project
        pause = timedelta(seconds=settings.retry_pause_seconds)
        self.workspace = Workspace(seconds)
        # By the environment and never as an argument: arguments are shown and logged.
        environment = {variables.JOB_KIND: kind.value}
        if settings.hub_token:
            environment[variables.HUB_TOKEN] = settings.hub_token
        dispatcher = JobDispatcher(records, self.workspace, environment, LATE * seconds)
        observer = Observer(
            records, self.workspace, project, changes_of_event, LOST_AFTER * seconds, pause
        )
        holder = Lease(records.store, lease)
        untouched = UNTOUCHED * seconds
        self.receiver = ReportReceiver(records, observer)
        reconciler = Reconciler(records, self.workspace, dispatcher, observer, holder, untouched)
        self.lifecycle = JobLifecycle(
            kind.label,
            records,
            self.workspace,
            dispatcher,
            project,
            reconciler.wake,
            PATIENCE * seconds,
        )
        self.run: Callable[[], Coroutine[Any, Any, None]] = reconciler.run
