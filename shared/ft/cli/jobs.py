"""`fts train`, `jobs` and `logs`."""

import sys
from typing import Annotated, Any

import typer

from ft import api
from ft._watch import Job
from ft.cli.check import show
from ft.cli.render import Column, as_dict
from ft.cli.resources import DATASETS, MODELS, PROMPTS, Filters, text_or_file, wanted
from ft.cli.session import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    ServerOption,
    Session,
    command,
    with_session,
)
from ft.cli.watch import POLL_SECONDS, failure, follow
from ft.client import FineTuningStudioClient, UnavailableError, UnimplementedError

JobId = Annotated[str, typer.Argument(metavar="JOB", help="Id of a job of any kind.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show progress until the job has ended.")]
Check = Annotated[
    bool,
    typer.Option("--check", help="Start nothing: say what would be refused, and what to expect."),
]
Cpu = Annotated[int, typer.Option(min=1, help="CPU cores.")]
Memory = Annotated[int, typer.Option(min=1, help="Memory in GiB.")]
Gpu = Annotated[int, typer.Option(min=0, help="GPUs.")]
Retries = Annotated[
    int, typer.Option(min=0, max=9, help="Tries again after a crash, a loss or a time-out.")
]
Json = Annotated[str, typer.Option(metavar="JSON|@FILE", show_default=False)]

jobs = typer.Typer(help="Fine-tuning, evaluation and export jobs.")
_KINDS: dict[type[Job], str] = {
    api.FineTuningJobMetadata: "fine-tuning",
    api.EvaluationJobMetadata: "evaluation",
    api.ExportJobMetadata: "export",
}


def policy(retries: int) -> api.RetryPolicy | None:
    """The policy of a job that is tried again so often; none for one that is not."""
    return api.RetryPolicy(max_attempts=1 + retries) if retries else None


def _kind(job: Job) -> str:
    return _KINDS[type(job)]


def _name(job: Job) -> str:
    if isinstance(job, api.FineTuningJobMetadata):
        return job.adapter_name
    if isinstance(job, api.ExportJobMetadata):
        return job.model_name
    return f"adapter {job.adapter_id}" if job.adapter_id else f"model {job.base_model_id}"


def _progress(job: Job) -> str:
    status = job.status
    return f"{status.step}/{status.total_steps}" if status.total_steps else ""


COLUMNS: list[Column] = [
    ("ID", "id"),
    ("KIND", _kind),
    ("OF", _name),
    ("STATE", lambda job: str(job.status.state)),
    ("STEP", _progress),
    ("CREATED", lambda job: str(job.status.created_at)),
]


@command(jobs, "list")
def list_jobs(session: Session, filter: Filters = None) -> None:
    """List all jobs, oldest first. Filters name fields of fine-tuning and evaluation jobs, such as
    state; export jobs are among them if they have those too."""
    client = session.client
    fine_tuning = api.ListFineTuningJobsRequest(filter=wanted(filter))
    evaluation = api.ListEvaluationJobsRequest(filter=wanted(filter))
    found: list[Job] = [
        *client.ListFineTuningJobs(fine_tuning).fine_tuning_jobs,
        *client.ListEvaluationJobs(evaluation).evaluation_jobs,
        *_exports(client, wanted(filter)),
    ]
    found.sort(key=lambda job: job.status.created_at)
    if session.out.json:
        session.out.data([{"kind": _kind(job), **as_dict(job)} for job in found])
    else:
        none = "no jobs like that" if filter else "no jobs yet; `fts train` starts one"
        session.out.items(found, COLUMNS, none)


def _exports(client: FineTuningStudioClient, filter: dict[str, str]) -> list[Job]:
    """Export jobs like that; none where they lack such a field, or the studio is an earlier one."""
    if not filter.keys() <= {*api.ExportJobMetadata.DESCRIPTOR.fields_by_name, "state"}:
        return []
    try:
        return list(client.ListExportJobs(api.ListExportJobsRequest(filter=filter)).export_jobs)
    except UnimplementedError:
        return []


@jobs.callback(invoke_without_command=True)
def jobs_alone(
    context: typer.Context,
    server: ServerOption = "",
    home: HomeOption = DEFAULT_HOME,
    json: JsonOption = False,
) -> None:
    """Fine-tuning, evaluation and export jobs; lists them where no command is given."""
    if context.invoked_subcommand is None:
        with_session(list_jobs)(server=server, home=home, json=json)


@command(jobs, "show")
def show_job(session: Session, job: JobId) -> None:
    """Show one job, with what became of it; its manifest in JSON only."""
    found = session.client.get_job(job)
    if isinstance(found, api.FineTuningJobMetadata) and not session.out.json:
        found.manifest = ""
    session.out.item(found)


@command(jobs, "watch")
def watch_job(session: Session, job: JobId) -> None:
    """Show a job's progress until it has ended."""
    _watch(session, session.client.get_job(job))


@command(jobs, "remove")
def remove_job(session: Session, job: JobId) -> None:
    """Forget a job, and end it if it runs."""
    found = session.client.get_job(job)
    if isinstance(found, api.FineTuningJobMetadata):
        session.client.RemoveFineTuningJob(api.RemoveFineTuningJobRequest(id=found.id))
    elif isinstance(found, api.EvaluationJobMetadata):
        session.client.RemoveEvaluationJob(api.RemoveEvaluationJobRequest(id=found.id))
    else:
        session.client.RemoveExportJob(api.RemoveExportJobRequest(id=found.id))
    if session.out.json:
        session.out.data({"removed": found.id})
    session.out.say(f"removed {_kind(found)} job {found.id}")


def train(
    session: Session,
    name: Annotated[str, typer.Option(help="Name of the adapter to make: letters, digits, -.")],
    model: Annotated[str, typer.Option(help="Base model (id or name).")],
    dataset: Annotated[str, typer.Option(help="Dataset (id or name).")],
    prompt: Annotated[str, typer.Option(help="Prompt (id or name); not for axolotl.")] = "",
    output_dir: Annotated[
        str, typer.Option(help="Existing directory in which the adapter gets a folder.")
    ] = "",
    epochs: Annotated[int | None, typer.Option(help="Passes over the rows.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    cpu: Cpu = 2,
    memory: Memory = 8,
    gpu: Gpu = 0,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    split: Annotated[float | None, typer.Option(help="Share of rows to train on.")] = None,
    fraction: Annotated[float | None, typer.Option(help="Share of rows to use at all.")] = None,
    lora_config: Json = "",
    training_arguments: Json = "",
    bnb_config: Json = "",
    add_adapter: Annotated[
        bool, typer.Option(help="Register the adapter when it is trained.")
    ] = True,
    framework: Annotated[
        api.FineTuningFrameworkType, typer.Option(help="What trains.")
    ] = api.FineTuningFrameworkType.LEGACY,
    axolotl_config: Annotated[str, typer.Option(help="Id of a stored axolotl config.")] = "",
    user_script: Annotated[str, typer.Option(help="Script to run in place of the own.")] = "",
    user_config: Json = "",
    gpu_label: Annotated[int | None, typer.Option(help="Accelerator label.")] = None,
    retries: Retries = 0,
    check: Check = False,
    watch: Watch = False,
) -> None:
    """Start a fine-tuning job, or only check one."""
    client = session.client
    request = api.StartFineTuningJobRequest(
        adapter_name=name,
        base_model_id=MODELS.id_of(client, model),
        dataset_id=DATASETS.id_of(client, dataset),
        prompt_id=PROMPTS.id_of(client, prompt),
        output_dir=output_dir,
        num_epochs=epochs,
        learning_rate=learning_rate,
        cpu=cpu,
        memory=memory,
        gpu=gpu,
        num_workers=workers,
        train_test_split=split,
        dataset_fraction=fraction,
        lora_config=text_or_file(lora_config),
        training_arguments_config=text_or_file(training_arguments),
        model_bnb_config=text_or_file(bnb_config),
        auto_add_adapter=add_adapter,
        framework_type=framework,
        axolotl_config_id=axolotl_config,
        user_script=user_script,
        user_config=text_or_file(user_config),
        gpu_label_id=gpu_label,
        retry=policy(retries),
    )
    if check:
        wanted = api.ValidateFineTuningJobRequest(request=request)
        show(session, client.ValidateFineTuningJob(wanted))
    else:
        started(session, [client.StartFineTuningJob(request).fine_tuning_job], watch)


def logs(
    session: Session,
    job: JobId,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")
    ] = False,
) -> None:
    """Print a job's log."""
    offset = 0
    while True:
        request = api.TailLogsRequest(job_id=job, offset=offset, follow=follow)
        try:
            for part in session.client.TailLogs(request):
                sys.stdout.buffer.write(part.data)
                sys.stdout.buffer.flush()
                offset = part.next_offset
            return
        except UnavailableError:
            # A studio that restarts ends the stream; the log is still there.
            if not follow:
                raise
        session.client.wait_until_connected()


def started(session: Session, found: list[Any], watch: bool) -> None:
    """Says which jobs were started, and shows their progress if that is wanted."""
    for job in found:
        session.out.say(f"started {_kind(job)} job {job.id} ({_name(job)})")
    if watch:
        _watch(session, *found)
    elif session.out.json:
        session.out.data([as_dict(job) for job in found])


def _watch(session: Session, *started: Job) -> None:
    client = session.client
    ended = follow(
        session.out.console,
        {_name(job): client.watch_job(job.id, poll=POLL_SECONDS) for job in started},
        quiet=session.out.json,
    )
    if session.out.json:
        session.out.data([as_dict(job) for job in ended.values()])
    for title, job in ended.items():
        if job.status.state != api.JobState.SUCCEEDED:
            raise failure(client, title, job)
        session.out.say(f"{title}: {_outcome(job)}")


def _outcome(job: Job) -> str:
    if isinstance(job, api.FineTuningJobMetadata):
        return f"adapter {job.adapter_id} in {job.out_dir}" if job.adapter_id else "succeeded"
    if isinstance(job, api.ExportJobMetadata):
        registered = job.cml_registered_model_id
        return f"model {job.model_id}" + (f", in the registry {registered}" if registered else "")
    scores = ", ".join(f"{name} {value:.4g}" for name, value in sorted(job.metrics.items()))
    return f"{scores} over {job.rows} rows"
