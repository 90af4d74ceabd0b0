"""Builder of the parts that all job domains have in common."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any, Generic, TypeVar

from chassis.config import Settings
from jobs.execution.dispatch import LATE, Dispatcher
from jobs.execution.lease import Lease, LeaseRecord
from jobs.execution.link import JobLink
from jobs.execution.observer import LOST_AFTER, Observer
from jobs.execution.reconciler import UNTOUCHED, Reconciler
from jobs.lifecycle import PATIENCE, JobLifecycle
from jobs.store.job_record import JobRecord
from jobs.store.records import JobRecords
from jobs.workspace.client import Workspace

Job = TypeVar("Job", bound=JobRecord)
ChangesOfEvent = Callable[[Job, Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]


def no_changes(
    _job: JobRecord, _event: Mapping[str, Any], _changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns no columns: the default for job kinds whose events change nothing further."""
    return {}


class JobParts(Generic[Job]):
    """A job domain's lifecycle, the link of its jobs, and its background work.

    `kind` is the name of the jobs in messages; for `changes_of_event` see `Observer`.
    """

    def __init__(
        self,
        kind: str,
        records: JobRecords[Job],
        lease: type[LeaseRecord],
        settings: Settings,
        changes_of_event: ChangesOfEvent[Job] = no_changes,
    ) -> None:
        seconds, project = settings.workspace_request_seconds, settings.project
        pause = timedelta(seconds=settings.retry_pause_seconds)
        self.workspace = Workspace(seconds)
        dispatcher = Dispatcher(records, self.workspace, _secrets(settings), LATE * seconds)
        observer = Observer(
            records, self.workspace, project, changes_of_event, LOST_AFTER * seconds, pause
        )
        holder = Lease(records.store, lease)
        untouched = UNTOUCHED * seconds
        self.link = JobLink(records, observer)
        reconciler = Reconciler(records, self.workspace, dispatcher, observer, holder, untouched)
        self.lifecycle = JobLifecycle(
            kind,
            records,
            self.workspace,
            dispatcher,
            project,
            reconciler.wake,
            PATIENCE * seconds,
        )
        self.run: Callable[[], Coroutine[Any, Any, None]] = reconciler.run


def _secrets(settings: Settings) -> dict[str, str]:
    """Returns secrets for the environment of jobs; arguments, unlike it, are shown and logged."""
    token = settings.hub_token
    return {"HUGGINGFACE_ACCESS_TOKEN": token} if token else {}
