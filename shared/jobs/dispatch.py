"""Brings a recorded job into the workspace."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from chassis.errors import NotFound
from jobs.workspace import Workspace


@dataclass(frozen=True)
class JobSpec:
    """What the workspace is told about a job."""

    id: str
    """The record's id, and so the workspace job's name."""
    template: str
    """Name of the template job that script and runtime are copied from."""
    arguments: str
    cpu: int
    memory: int
    """GiB."""
    gpu: int
    script: str = ""
    """A script of the user's own in place of the template's."""
    gpu_label_id: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Dispatched:
    """The workspace's ids for a job."""

    cml_job_id: str
    run_id: str


async def dispatch(workspace: Workspace, spec: JobSpec) -> Dispatched:
    """Creates the workspace job and its one run, or adopts what an earlier attempt has created.

    Can be repeated. Raises Unavailable while the workspace does not answer, and another Refusal
    when it says no.
    """
    job = await workspace.find_job(spec.id) or await _create(workspace, spec)
    runs = await workspace.runs(job.id)
    run = runs[0] if runs else await workspace.create_run(job.id)
    return Dispatched(job.id, run.id)


async def withdraw(workspace: Workspace, job_id: str, run_id: str, ended: bool) -> None:
    """Stops a job's run unless it has ended, and takes the job out of the workspace."""
    if run_id and not ended:
        with suppress(NotFound):
            await workspace.stop_run(job_id, run_id)
    await workspace.delete_job(job_id)


async def _create(workspace: Workspace, spec: JobSpec) -> Any:
    template = await workspace.template(spec.template)
    labelled = spec.gpu_label_id is not None and spec.gpu_label_id > 0
    return await workspace.create_job(
        name=spec.id,
        script=spec.script or template.script,
        runtime_identifier=template.runtime_identifier,
        kernel=template.kernel,
        cpu=float(spec.cpu),
        memory=float(spec.memory),
        nvidia_gpu=spec.gpu,
        arguments=spec.arguments,
        environment=dict(spec.environment),
        **({"accelerator_label_id": str(spec.gpu_label_id)} if labelled else {}),
    )
