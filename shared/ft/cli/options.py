"""Options that several commands have, and groups of them.

A group is a dataclass whose fields are options. A command takes it as one parameter, which stands
for all of them: see `ft.cli.session.with_session`.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Annotated, Any, get_type_hints

import typer

from ft import api
from ft.client import FineTuningStudioClient, UnavailableError, UnimplementedError

JobId = Annotated[str, typer.Argument(metavar="JOB", help="Id of a job of any kind.")]
GenerationConfig = Annotated[
    str,
    typer.Option(
        metavar="JSON|@FILE",
        help="Settings that answers are generated with; without sampling if not given.",
        show_default=False,
    ),
]
Settings = Annotated[
    str,
    typer.Option(
        metavar="JSON|@FILE",
        help="Settings added to those of the shipped config, or in place of them. "
        "Null removes a setting.",
        show_default=False,
    ),
]
WholeConfig = Annotated[
    bool,
    typer.Option("--whole-config", help="Use the given configs without the shipped settings."),
]
Model = Annotated[str, typer.Option(help="Base model (id or name).")]
Dataset = Annotated[str, typer.Option(help="Dataset (id or name).")]
Watch = Annotated[bool, typer.Option("--watch", help="Show progress until the job has ended.")]


MOST_CPUS, MOST_MEMORY_GIB = 2, 8
"""Default resources of a job, if the machine has them."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What each worker of a job gets."""

    cpu: Annotated[int | None, typer.Option(min=1, help="CPU cores; 2 if there are as many.")] = (
        None
    )
    memory: Annotated[
        int | None, typer.Option(min=1, help="Memory in GiB; 8 if there is as much.")
    ] = None
    gpu: Annotated[int | None, typer.Option(min=0, help="GPUs; 0 for a job if not given.")] = None

    def asked(self, client: FineTuningStudioClient) -> dict[str, Any]:
        """Fields of a request: what is not said within what is there."""
        cpu, memory = (self.cpu, self.memory)
        if cpu is None or memory is None:
            there = within(client)
            cpu = there["cpu"] if cpu is None else cpu
            memory = there["memory"] if memory is None else memory
        return {"cpu": cpu, "memory": memory, "gpu": self.gpu}


@dataclass(frozen=True, kw_only=True)
class OwnResources:
    """What one process gets; the studio chooses what is not said."""

    cpu: Annotated[int | None, typer.Option(min=1, help="CPU cores.")] = None
    memory: Annotated[int | None, typer.Option(min=1, help="Memory in GiB.")] = None
    gpu: Annotated[int | None, typer.Option(min=0, help="GPUs.")] = None

    def asked(self) -> dict[str, Any]:
        """Fields of a request."""
        return {"cpu": self.cpu, "memory": self.memory, "gpu": self.gpu}


def within(
    client: FineTuningStudioClient, cpu: int = MOST_CPUS, memory: int = MOST_MEMORY_GIB
) -> dict[str, Any]:
    """So many CPUs and GiB, or as many as a job can be granted if that is fewer."""
    try:
        there = client.GetJobCapacity(api.GetJobCapacityRequest())
    except (UnimplementedError, UnavailableError):
        # A studio of an earlier version does not say.
        there = api.GetJobCapacityResponse()
    if there.HasField("cpu"):
        cpu = max(1, min(cpu, int(there.cpu)))
    if there.HasField("memory_gib"):
        memory = max(1, min(memory, int(there.memory_gib)))
    return {"cpu": cpu, "memory": memory}


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """How often jobs are tried, and whether the command stays with them."""

    retries: Annotated[
        int,
        typer.Option(
            min=0, max=9, help="Number of retries after a crash, a lost job or a timeout."
        ),
    ] = 0
    watch: Watch = False

    @property
    def policy(self) -> api.RetryPolicy | None:
        """The policy of a job that is tried again so often; None for one that is not."""
        return api.RetryPolicy(max_attempts=1 + self.retries) if self.retries else None


@dataclass(frozen=True, kw_only=True)
class Start(Attempts):
    """How jobs are started that can be checked before."""

    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Check the request and estimate the job, without starting it."
        ),
    ] = False
    unchecked: Annotated[
        bool,
        typer.Option("--unchecked", help="Start without checking data, model and adapters first."),
    ] = False


def options_of(function: Callable[..., None]) -> list[inspect.Parameter]:
    """The parameters of a command behind its session, with the fields of groups in their place."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return [option for parameter in parameters for option in _spread(parameter)]


def grouped(function: Callable[..., None], given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for the command behind its session, from the values of `options_of` it."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    kinds: dict[str, Any] = {one.name: one.annotation for one in parameters}
    groups: dict[str, Any] = {name: kind for name, kind in kinds.items() if is_dataclass(kind)}
    single = {name: given[name] for name in kinds if name in given}
    return {**single, **{name: _made(group, given) for name, group in groups.items()}}


def _spread(parameter: inspect.Parameter) -> Sequence[inspect.Parameter]:
    if not is_dataclass(parameter.annotation):
        return [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
    kinds = get_type_hints(parameter.annotation, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=kinds[field.name],
        )
        for field in fields(parameter.annotation)
    ]


def _made(group: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    names = inspect.signature(group).parameters
    return group(**{name: given[name] for name in names if name in given})
