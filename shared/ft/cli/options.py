"""Options that several commands have, and groups of options.

A group is a dataclass whose fields are options. A command takes the group as one parameter; see
`ft.cli.session.with_session`.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Annotated, Any, get_type_hints

import typer

from ft import api
from ft.client import FineTuningStudioClient, UnavailableError, UnimplementedError

FineTuningJobId = Annotated[str, typer.Argument(metavar="JOB", help="Id of a fine-tuning job.")]
EvaluationJobId = Annotated[str, typer.Argument(metavar="JOB", help="Id of an evaluation job.")]
JobId = Annotated[
    str, typer.Argument(metavar="JOB", help="Id of a fine-tuning, evaluation or export job.")
]
GenerationConfig = Annotated[
    str,
    typer.Option(
        metavar="JSON|@FILE",
        help="Settings for generating answers, as JSON or from a file. Default: no sampling.",
        show_default=False,
    ),
]
Settings = Annotated[
    str,
    typer.Option(
        metavar="JSON|@FILE",
        help="Settings to merge into the shipped config, as JSON or from a file. A setting "
        "replaces the shipped one; null removes it.",
        show_default=False,
    ),
]
WholeConfig = Annotated[
    bool,
    typer.Option(
        "--whole-config", help="Send the given configs unchanged, not merged into the shipped ones."
    ),
]
Model = Annotated[str, typer.Option(help="Id or name of the base model.")]
Dataset = Annotated[str, typer.Option(help="Id or name of the dataset.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show the progress until the job has ended.")]


MOST_CPUS, MOST_MEMORY_GIB = 2, 8
"""Default resources of a job, if the machine has them."""


@dataclass(frozen=True, kw_only=True)
class WorkerResources:
    """Resources of each worker of a job."""

    cpu: Annotated[
        int | None, typer.Option(min=1, help="CPU cores. Default: 2, or fewer if there are fewer.")
    ] = None
    memory: Annotated[
        int | None, typer.Option(min=1, help="Memory in GiB. Default: 8, or less if there is less.")
    ] = None
    gpu: Annotated[
        int | None, typer.Option(min=0, help="Number of GPUs. Default: 0 for a job.")
    ] = None

    def request_fields(self, client: FineTuningStudioClient) -> dict[str, Any]:
        """Fields of the request. Defaults do not exceed the resources that exist."""
        cpu, memory = (self.cpu, self.memory)
        if cpu is None or memory is None:
            there = available(client)
            cpu = there["cpu"] if cpu is None else cpu
            memory = there["memory"] if memory is None else memory
        return {"cpu": cpu, "memory": memory, "gpu": self.gpu}


@dataclass(frozen=True, kw_only=True)
class ProcessResources:
    """Resources of one process. The studio chooses those that are not given."""

    cpu: Annotated[int | None, typer.Option(min=1, help="CPU cores.")] = None
    memory: Annotated[int | None, typer.Option(min=1, help="Memory in GiB.")] = None
    gpu: Annotated[int | None, typer.Option(min=0, help="Number of GPUs.")] = None

    def request_fields(self) -> dict[str, Any]:
        """Fields of a request."""
        return {"cpu": self.cpu, "memory": self.memory, "gpu": self.gpu}


def available(
    client: FineTuningStudioClient, cpu: int = MOST_CPUS, memory: int = MOST_MEMORY_GIB
) -> dict[str, Any]:
    """So many CPUs and GiB of memory, or fewer if a job cannot get as many."""
    try:
        there = client.GetJobCapacity(api.GetJobCapacityRequest())
    except (UnimplementedError, UnavailableError):
        # A studio of an earlier version does not report it.
        there = api.GetJobCapacityResponse()
    if there.HasField("cpu"):
        cpu = max(1, min(cpu, int(there.cpu)))
    if there.HasField("memory_gib"):
        memory = max(1, min(memory, int(there.memory_gib)))
    return {"cpu": cpu, "memory": memory}


@dataclass(frozen=True, kw_only=True)
class RetryOptions:
    """Retries of jobs, and whether the command shows their progress."""

    retries: Annotated[
        int,
        typer.Option(
            min=0, max=9, help="Number of retries after a crash, a timeout or a lost job."
        ),
    ] = 0
    watch: Watch = False

    @property
    def policy(self) -> api.RetryPolicy | None:
        """The retry policy of the request; None for no retries."""
        return api.RetryPolicy(max_attempts=1 + self.retries) if self.retries else None


@dataclass(frozen=True, kw_only=True)
class StartOptions(RetryOptions):
    """Start of jobs that can be checked before."""

    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Only check the request and estimate the job, without starting it."
        ),
    ] = False
    unchecked: Annotated[
        bool,
        typer.Option("--unchecked", help="Start without checking data, model and adapters first."),
    ] = False


def options_of(function: Callable[..., None]) -> list[inspect.Parameter]:
    """The parameters of a command after its session, with the options of groups in their place."""
    found = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if not is_dataclass(parameter.annotation):
            found.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        kinds = get_type_hints(parameter.annotation, include_extras=True)
        found += [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=kinds[field.name],
            )
            for field in fields(parameter.annotation)
        ]
    return found


def grouped(function: Callable[..., None], given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a command after its session, made from the values of its options."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    kinds: dict[str, Any] = {one.name: one.annotation for one in parameters}
    groups: dict[str, Any] = {name: kind for name, kind in kinds.items() if is_dataclass(kind)}
    single = {name: given[name] for name in kinds if name in given}
    made = {
        name: group(
            **{field.name: given[field.name] for field in fields(group) if field.name in given}
        )
        for name, group in groups.items()
    }
    return {**single, **made}
