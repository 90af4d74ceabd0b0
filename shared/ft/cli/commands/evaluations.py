"""`fts eval` and `evaluate`: starts evaluations, and shows what they have found."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from ft import api
from ft.cli import check as checks
from ft.cli.commands.jobs import started
from ft.cli.configs_given import Configs, completed
from ft.cli.evaluated import evaluated, rows_of
from ft.cli.exits import CommandFailed, Exit
from ft.cli.options import Dataset, JobId, Model, Resources, Settings, Start, WholeConfig
from ft.cli.output.comparison import COMPARED, Comparison, Evaluated, Interval, compared
from ft.cli.output.render import Output, as_dict
from ft.cli.resources import ADAPTERS, DATASETS, MODELS, PROMPTS, text_or_file
from ft.cli.session import Session, command
from ft.client import FineTuningStudioClient

SHOWN = 60
"""Characters of a text that a table shows."""
_LIMITS = ("max_new_tokens", "max_length", "max_time")
"""Settings of a generation_config that end an answer."""
_ROWS = "_rows"
"""Of a metric that says how many rows another one is measured on."""

app = typer.Typer(help="Evaluation jobs: start, show, compare.", no_args_is_help=True)


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """What is evaluated."""

    model: Model
    adapter: Annotated[
        list[str] | None, typer.Option(help="Adapter (id or name); may be repeated.")
    ] = None
    base: Annotated[bool, typer.Option(help="Also evaluate the model alone.")] = True

    def combinations(
        self, client: FineTuningStudioClient
    ) -> list[api.EvaluationJobModelCombination]:
        """One for each job."""
        model_id = MODELS.id_of(client, self.model)
        adapter_ids = [ADAPTERS.id_of(client, one) for one in self.adapter or ()]
        return [
            api.EvaluationJobModelCombination(base_model_id=model_id, adapter_id=adapter_id)
            for adapter_id in (["", *adapter_ids] if self.base else adapter_ids)
        ]


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How it is evaluated."""

    fraction: Annotated[
        float | None, typer.Option(help="Share of the held-out rows; 0.1 if not given.")
    ] = None
    generation_config: Annotated[
        str,
        typer.Option(
            metavar="JSON|@FILE",
            help="Settings that replace those of the shipped config. If no limit is set, "
            "max_new_tokens fits the longest expected answer.",
            show_default=False,
        ),
    ] = ""
    bnb_config: Settings = ""
    whole_config: WholeConfig = False
    feature: Annotated[
        list[str] | None, typer.Option(help="Column to show next to the scores; may be repeated.")
    ] = None

    def limited(self) -> bool:
        """True if the given config sets a limit for the answer."""
        try:
            given = json.loads(text_or_file(self.generation_config) or "{}")
        except ValueError:
            return False  # the studio refuses it
        return isinstance(given, dict) and not given.keys().isdisjoint(_LIMITS)

    def asked(self) -> dict[str, Any]:
        """Fields of the request. Raises CommandFailed if a file cannot be read."""
        return {
            "eval_dataset_fraction": self.fraction,
            "selected_features": self.feature or [],
        }

    def configs(self, client: FineTuningStudioClient, model_id: str) -> Configs:
        """The configs of the request. Raises CommandFailed if a file cannot be read."""
        given = {
            "generation_config": text_or_file(self.generation_config),
            "model_bnb_config": text_or_file(self.bnb_config),
        }
        return completed(client, model_id, given, ("generation_config",), self.whole_config)


def start(
    session: Session,
    *,
    subjects: Subjects,
    dataset: Dataset,
    prompt: Annotated[str, typer.Option(help="Prompt (id or name).")],
    manner: Manner,
    resources: Resources,
    start: Start,
) -> None:
    """Start evaluation jobs, or only check them: the model alone, and with each adapter."""
    client = session.client
    combinations = subjects.combinations(client)
    model_id = next((one.base_model_id for one in combinations), "")
    configs = manner.configs(client, model_id)
    request = api.StartEvaluationJobRequest(
        type=api.EvaluationJobType.MLFLOW,
        model_adapter_combinations=combinations,
        dataset_id=DATASETS.id_of(client, dataset),
        prompt_id=PROMPTS.id_of(client, prompt),
        retry=start.policy,
        fit_answer_length=not manner.limited(),
        **manner.asked(),
        **configs.sent,
        **resources.asked(client),
    )
    wanted = api.ValidateEvaluationJobRequest(request=request)
    if start.check:
        checks.show(session, client.ValidateEvaluationJob(wanted), configs, {})
        return
    if not start.unchecked:
        checks.before_start(session, lambda: client.ValidateEvaluationJob(wanted))
    response = client.StartEvaluationJob(request)
    started(session, list(response.evaluation_jobs) or [response.evaluation_job], start.watch)


@command(app, "show")
def show(
    session: Session,
    job: JobId,
    rows: Annotated[int, typer.Option(min=0, help="Rows to show; 0 for all.")] = 10,
) -> None:
    """Show the scores of an evaluation, and its rows."""
    client = session.client
    found = client.get_job(job)
    if not isinstance(found, api.EvaluationJobMetadata):
        raise CommandFailed(f"{job} is no evaluation job", Exit.REFUSED)
    shown = list(islice(rows_of(client, job), rows or None))
    if session.out.json:
        session.out.data({**as_dict(found), "results": [as_dict(row) for row in shown]})
        return
    scores = [[name, _measured(found, name)] for name in _metric_names([found.metrics])]
    session.out.table(["METRIC", "SCORE"], scores)
    session.out.notices(found.status.notices)
    session.out.say(f"\n{len(shown)} of {found.rows} rows")
    session.out.table(
        ["INPUT", "EXPECTED", "OUTPUT", "EXACT", "ROUGE-L", "CUT OFF"],
        [
            [
                *(_line(session.out, text) for text in (row.input, row.expected, row.output)),
                *(_score(row, name) for name in ("exact_match", "rougeL")),
                "yes" if row.scores.get("cut_off") else "",
            ]
            for row in shown
        ],
    )


@command(app, "compare")
def compare(
    session: Session,
    parent: Annotated[
        str, typer.Argument(help="Parent id that jobs of one request share, or id of one of them.")
    ],
    rows: Annotated[
        int, typer.Option(min=0, help="Number of rows with the largest differences to show.")
    ] = 5,
    chart: Annotated[
        Path | None, typer.Option(help="Also draw a chart to this .svg or .png file.")
    ] = None,
) -> None:
    """Compare the evaluations of one request, each with the first of them.

    Row by row, over the rows that both have scored. The intervals are those of a paired bootstrap:
    if the interval contains 0, there may be no difference.
    """
    jobs, without = evaluated(session.client, parent)
    comparisons = [compared(jobs[0], other, rows) for other in jobs[1:]]
    if chart is not None:
        from ft.cli.output.chart import draw

        draw(chart, jobs, comparisons)
    if session.out.json:
        session.out.data(_as_data(jobs, without, comparisons))
        return
    _tables(session, jobs, comparisons)
    for job in without:
        session.out.say(f"left out: {job.id}, which is {job.status.state} and has no rows")
    if chart is not None:
        session.out.say(f"drawn to {chart}")


def _as_data(
    jobs: Sequence[Evaluated],
    without: Sequence[api.EvaluationJobMetadata],
    comparisons: Sequence[Comparison],
) -> dict[str, Any]:
    return {
        "parent": jobs[0].job.parent_job_id,
        "jobs": [{"title": one.title, **as_dict(one.job)} for one in jobs],
        "without_rows": [as_dict(job) for job in without],
        "comparisons": [
            {
                "first": jobs[0].job.id,
                "other": one.other.job.id,
                "rows": one.rows,
                "differences": {name: asdict(found) for name, found in one.intervals.items()},
                "largest": [
                    {
                        "input": row.first.input,
                        "expected": row.first.expected,
                        "first": row.first.output,
                        "other": row.other.output,
                        "differences": dict(row.differences),
                    }
                    for row in one.largest
                ],
            }
            for one in comparisons
        ],
    }


def _tables(session: Session, jobs: Sequence[Evaluated], comparisons: Sequence[Comparison]) -> None:
    out = session.out
    out.table(["METRIC", *(one.title for one in jobs)], _metrics(jobs))
    if not comparisons:
        return
    out.say(f"\ndifferences to {jobs[0].title} over the rows that both have, with 95 % intervals")
    out.table(
        ["JOB", "OF", "ROWS", *(f"{name} difference" for name in COMPARED)],
        [
            [one.other.job.id, one.other.title, str(one.rows)]
            + [_interval(one.intervals.get(name)) for name in COMPARED]
            for one in comparisons
        ],
    )
    for one in comparisons:
        if one.largest:
            out.say(f"\nrows in which {one.other.title} differs most")
            out.table(["INPUT", "EXPECTED", jobs[0].title, one.other.title], _rows(out, one))


def _metrics(jobs: Sequence[Evaluated]) -> Iterator[list[str]]:
    """A line for each metric that a job has: its score, and how far it is from the first job's."""
    first = jobs[0].job
    yield ["rows", *(str(one.job.rows) for one in jobs)]
    for name in _metric_names([one.job.metrics for one in jobs]):
        others = (_measured(one.job, name, first) for one in jobs[1:])
        yield [name, _measured(first, name), *others]


def _metric_names(metrics: Sequence[Mapping[str, float]]) -> list[str]:
    """Names of metrics, sorted, those that were measured on no row among them."""
    names = {name for one in metrics for name in one}
    counts = {name for name in names if name.endswith(_ROWS)}
    return sorted(names - counts | {name.removesuffix(_ROWS) for name in counts})


def _measured(
    job: api.EvaluationJobMetadata, name: str, first: api.EvaluationJobMetadata | None = None
) -> str:
    """A metric of a job, how far it is from the first job's, and which rows it was measured on if
    those are not all."""
    if name not in job.metrics:
        return "not measured" if name + _ROWS in job.metrics else ""
    score = job.metrics[name]
    parts = [f"{score:.4g}"]
    if first is not None and name in first.metrics:
        parts.append(f"({score - first.metrics[name]:+.4g})")
    if name + _ROWS in job.metrics:
        parts.append(f"({job.metrics[name + _ROWS]:.0f} of {job.rows} rows)")
    return " ".join(parts)


def _rows(out: Output, comparison: Comparison) -> Iterator[list[str]]:
    for row in comparison.largest:
        texts = (row.first.input, row.first.expected, row.first.output, row.other.output)
        yield [_line(out, text) for text in texts]


def _interval(found: Interval | None) -> str:
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]" if found else ""


def _score(row: api.EvaluationRow, name: str) -> str:
    return f"{row.scores[name]:.4g}" if name in row.scores else ""


def _line(out: Output, text: str) -> str:
    """A text on one line, its end where it is long: inputs begin alike."""
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN else f"{out.ellipsis}{flat[1 - SHOWN :]}"
