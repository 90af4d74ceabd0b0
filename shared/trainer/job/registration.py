"""Puts what a job has made into the studio's lists, once."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ft.api import AdapterMetadata, AdapterType, AddAdapterRequest, ListAdaptersRequest
from ft.client import AlreadyExistsError, StudioError
from trainer.errors import RegistrationError
from trainer.job.arguments import FineTuneArguments
from trainer.job.events import EventLog
from trainer.job.found import UNDECIDED
from trainer.job.studio import Studio

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_SECONDS = 3600.0
"""How long a studio that is away is waited for: the training is done, and would be for nothing."""


def register(
    studio: Studio, request: AddAdapterRequest, *, patience: float = PATIENCE_SECONDS
) -> AdapterMetadata:
    """The adapter as the studio lists it. One that this job registered before is adopted.

    Raises RegistrationError if the studio refuses it or stays away.
    """
    try:
        return patiently(lambda: _find(studio, request) or _add(studio, request), patience)
    except StudioError as error:
        raise RegistrationError(
            f"The adapter is saved in {request.location}, but could not be registered: {error}"
        ) from error


def patiently(call: Callable[[], T], patience: float = PATIENCE_SECONDS) -> T:
    """What a call that may be repeated returns once the studio answers. Raises StudioError if it
    refuses or stays away."""
    deadline = time.monotonic() + patience
    pause = 0.5
    while True:
        try:
            return call()
        except StudioError as error:
            if error.code not in UNDECIDED or time.monotonic() + pause > deadline:
                raise
            logger.warning("The studio did not answer, trying again: %s", error)
        time.sleep(pause)
        pause = min(2 * pause, 5.0)


def announce(studio: Studio, events: EventLog, arguments: FineTuneArguments, project: Path) -> None:
    """Tells that the job's adapter is saved, and registers it if the job is to."""
    location = _relative(project / arguments.out_dir, project)
    events.write("saved", location=location)
    if arguments.auto_add_adapter:
        request = AddAdapterRequest(
            type=AdapterType.PROJECT,
            name=arguments.adapter_name or arguments.experimentid,
            model_id=arguments.base_model_id,
            location=location,
            fine_tuning_job_id=arguments.experimentid,
            prompt_id=arguments.prompt_id,
        )
        events.write("registered", adapter_id=register(studio, request).id)


def _relative(target: Path, project: Path) -> str:
    """Relative to the project directory where it lies within."""
    path, root = os.path.abspath(target), os.path.abspath(project)
    return os.path.relpath(path, root) if path.startswith(root + os.sep) else path


def _find(studio: Studio, request: AddAdapterRequest) -> AdapterMetadata | None:
    adapters = studio.ListAdapters(ListAdaptersRequest()).adapters
    return next((a for a in adapters if a.fine_tuning_job_id == request.fine_tuning_job_id), None)


def _add(studio: Studio, request: AddAdapterRequest) -> AdapterMetadata:
    try:
        return studio.AddAdapter(request).adapter
    except AlreadyExistsError:
        # Of two runs of one job that come at the same time, one gets the name.
        found = _find(studio, request)
        if found is None:
            raise
        return found
