"""Registers the adapter that a job has made, once."""

import os
from pathlib import Path

from ft.api import AdapterMetadata, AdapterType, AddAdapterRequest, ListAdaptersRequest
from ft.client import AlreadyExistsError, StudioError
from ft.job_protocol.events import Registered, Saved
from trainer.errors import RegistrationError
from trainer.job.arguments import FineTuneArguments
from trainer.job.events import EventLog
from trainer.job.studio import Studio
from trainer.job.studio_client import retry

PATIENCE_SECONDS = 3600.0
"""Time for which a studio that is away is waited for: without it the training would be in vain."""


def register(
    studio: Studio, request: AddAdapterRequest, *, patience: float = PATIENCE_SECONDS
) -> AdapterMetadata:
    """Adds the adapter to the studio, unless this job has added it before. Returns its record.

    Raises RegistrationError if the studio refuses it or stays away.
    """

    def find() -> AdapterMetadata | None:
        adapters = studio.ListAdapters(ListAdaptersRequest()).adapters
        job_id = request.fine_tuning_job_id
        return next((one for one in adapters if one.fine_tuning_job_id == job_id), None)

    def find_or_add() -> AdapterMetadata:
        if (found := find()) is not None:
            return found
        try:
            return studio.AddAdapter(request).adapter
        except AlreadyExistsError:
            # Of two runs of one job that come at the same time, one gets the name.
            if (found := find()) is None:
                raise
            return found

    try:
        return retry(find_or_add, patience)
    except StudioError as error:
        raise RegistrationError(
            f"The adapter is saved in {request.location}, but could not be registered: {error}"
        ) from error


def announce(studio: Studio, events: EventLog, arguments: FineTuneArguments, project: Path) -> None:
    """Writes that the job's adapter is saved, and registers it if the job is to."""
    path, root = os.path.abspath(project / arguments.out_dir), os.path.abspath(project)
    inside = path.startswith(root + os.sep)
    location = os.path.relpath(path, root) if inside else path
    events.write(Saved(location=location))
    if arguments.auto_add_adapter:
        request = AddAdapterRequest(
            type=AdapterType.PROJECT,
            name=arguments.adapter_name or arguments.experimentid,
            model_id=arguments.base_model_id,
            location=location,
            fine_tuning_job_id=arguments.experimentid,
            prompt_id=arguments.prompt_id,
        )
        events.write(Registered(adapter_id=register(studio, request).id))
