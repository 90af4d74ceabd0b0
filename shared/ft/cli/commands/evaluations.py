"""`fts eval` and `evaluate`: starts evaluations, shows and compares their scores."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from ft import api
from ft.cli import check as checks
from ft.cli.commands.jobs import started
from ft.cli.evaluation_rows import rows_of, scored_evaluations
from ft.cli.exits import CommandFailed, Exit
from ft.cli.options import (
    Dataset,
    EvaluationJobId,
    Model,
    Settings,
    StartOptions,
    WholeConfig,
    WorkerResources,
)
from ft.cli.output.comparison import COMPARED, Comparison, ScoredEvaluation, compared
from ft.cli.output.render import Output, as_dict
from ft.cli.request_configs import RequestConfigs, merged_configs
from ft.cli.resources import ADAPTERS, DATASETS, MODELS, PROMPTS, text_or_file
from ft.cli.session import Session, command
from ft.client import FineTuningStudioClient

SHOWN = 60
"""Most characters of a text in a table."""
_LIMITS = ("max_new_tokens", "max_length", "max_time")
"""Settings of a generation_config that limit the length of an answer."""
_ROWS = "_rows"
"""Suffix of a metric that counts the rows on which another metric is measured."""

app = typer.Typer(help="Evaluation jobs: start, show, compare.", no_args_is_help=True)


@dataclass(frozen=True, kw_only=True)
class EvaluatedModels:
    """The base model and the adapters to evaluate."""

    model: Model
    adapter: Annotated[
        list[str] | None, typer.Option(help="Id or name of an adapter. Can be repeated.")
    ] = None
    base: Annotated[bool, typer.Option(help="Also evaluate the base model without an adapter.")] = (
        True
    )

    def combinations(
        self, client: FineTuningStudioClient
    ) -> list[api.EvaluationJobModelCombination]:
        """The model and adapter of each job."""
        model_id = MODELS.id_of(client, self.model)
        adapter_ids = [ADAPTERS.id_of(client, one) for one in self.adapter or ()]
        return [
            api.EvaluationJobModelCombination(base_model_id=model_id, adapter_id=adapter_id)
            for adapter_id in (["", *adapter_ids] if self.base else adapter_ids)
        ]


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """Settings of the evaluation."""

    fraction: Annotated[
        float | None, typer.Option(help="Share of the held-out rows to use. Default: 0.1.")
    ] = None
    generation_config: Annotated[
        str,
        typer.Option(
            metavar="JSON|@FILE",
            help="Settings to merge into the shipped config, as JSON or from a file. A setting "
            "replaces the shipped one; null removes it. If they set no limit, max_new_tokens is "
            "chosen to fit the longest expected answer.",
            show_default=False,
        ),
    ] = ""
    bnb_config: Settings = ""
    whole_config: WholeConfig = False
    feature: Annotated[
        list[str] | None, typer.Option(help="Column to show next to the scores. Can be repeated.")
    ] = None

    def limits_answers(self) -> bool:
        """True if the given config limits the length of answers."""
        try:
            given = json.loads(text_or_file(self.generation_config) or "{}")
        except ValueError:
            return False  # the studio refuses it
        return isinstance(given, dict) and not given.keys().isdisjoint(_LIMITS)

    def request_fields(self) -> dict[str, Any]:
        """Fields of the request. Raises CommandFailed if a file cannot be read."""
        return {
            "eval_dataset_fraction": self.fraction,
            "selected_features": self.feature or [],
        }

    def configs(self, client: FineTuningStudioClient, model_id: str) -> RequestConfigs:
        """The configs of the request. Raises CommandFailed if a file cannot be read."""
        given = {
            "generation_config": text_or_file(self.generation_config),
            "model_bnb_config": text_or_file(self.bnb_config),
        }
        return merged_configs(client, model_id, given, ("generation_config",), self.whole_config)


def start(
    session: Session,
    *,
    models: EvaluatedModels,
    dataset: Dataset,
    prompt: Annotated[str, typer.Option(help="Id or name of the prompt.")],
    options: EvaluationOptions,
    resources: WorkerResources,
    start: StartOptions,
) -> None:
    """Start evaluation jobs, or only check them (--check).

    There is one job for the base model, and one for each adapter.
    """
    client = session.client
    combinations = models.combinations(client)
    model_id = next((one.base_model_id for one in combinations), "")
    configs = options.configs(client, model_id)
    request = api.StartEvaluationJobRequest(
        type=api.EvaluationJobType.MLFLOW,
        model_adapter_combinations=combinations,
        dataset_id=DATASETS.id_of(client, dataset),
        prompt_id=PROMPTS.id_of(client, prompt),
        retry=start.policy,
        fit_answer_length=not options.limits_answers(),
        **options.request_fields(),
        **configs.sent,
        **resources.request_fields(client),
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
    job: EvaluationJobId,
    rows: Annotated[int, typer.Option(min=0, help="Number of rows to show; 0 for all.")] = 10,
) -> None:
    """Show the scores of an evaluation job, and some of its rows."""
    client = session.client
    found = client.get_job(job)
    if not isinstance(found, api.EvaluationJobMetadata):
        raise CommandFailed(f"{job} is not an evaluation job", Exit.REFUSED)
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
                *(
                    f"{row.scores[name]:.4g}" if name in row.scores else ""
                    for name in ("exact_match", "rougeL")
                ),
                "yes" if row.scores.get("cut_off") else "",
            ]
            for row in shown
        ],
    )


@command(app, "compare")
def compare(
    session: Session,
    parent: Annotated[
        str,
        typer.Argument(help="Parent id that the jobs of a request share, or id of one of them."),
    ],
    rows: Annotated[
        int, typer.Option(min=0, help="Number of rows with the largest differences to show.")
    ] = 5,
    chart: Annotated[Path | None, typer.Option(help="File for a chart, .svg or .png.")] = None,
) -> None:
    """Compare the evaluations of one request with the first of them.

    The comparison uses the rows that both have scored. Intervals come from a paired bootstrap: if
    an interval contains 0, there may be no difference.
    """
    jobs, without = scored_evaluations(session.client, parent)
    comparisons = [compared(jobs[0], other, rows) for other in jobs[1:]]
    if chart is not None:
        from ft.cli.output.chart import draw

        draw(chart, jobs, comparisons)
    if session.out.json:
        session.out.data(_as_data(jobs, without, comparisons))
        return
    _show_comparisons(session.out, jobs, comparisons)
    for job in without:
        session.out.say(f"left out: {job.id} is {job.status.state} and has no rows")
    if chart is not None:
        session.out.say(f"chart written to {chart}")


def _as_data(
    jobs: Sequence[ScoredEvaluation],
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


def _show_comparisons(
    out: Output, jobs: Sequence[ScoredEvaluation], comparisons: Sequence[Comparison]
) -> None:
    first = jobs[0].job
    metrics = [["rows", *(str(one.job.rows) for one in jobs)]]
    for name in _metric_names([one.job.metrics for one in jobs]):
        others = (_measured(one.job, name, first) for one in jobs[1:])
        metrics.append([name, _measured(first, name), *others])
    out.table(["METRIC", *(one.title for one in jobs)], metrics)
    if not comparisons:
        return
    out.say(f"\ndifferences to {jobs[0].title} over the rows that both have, with 95 % intervals")
    differences = []
    for one in comparisons:
        found = [one.intervals.get(name) for name in COMPARED]
        cells = [f"{i.mean:+.4f} [{i.low:+.4f}, {i.high:+.4f}]" if i else "" for i in found]
        differences.append([one.other.job.id, one.other.title, str(one.rows), *cells])
    out.table(["JOB", "OF", "ROWS", *(f"{name} difference" for name in COMPARED)], differences)
    for one in comparisons:
        if one.largest:
            out.say(f"\nrows in which {one.other.title} differs most")
            rows = [
                (row.first.input, row.first.expected, row.first.output, row.other.output)
                for row in one.largest
            ]
            out.table(
                ["INPUT", "EXPECTED", jobs[0].title, one.other.title],
                [[_line(out, text) for text in texts] for texts in rows],
            )


def _metric_names(metrics: Sequence[Mapping[str, float]]) -> list[str]:
    """Sorted names of metrics, including those that were measured on no row."""
    names = {name for one in metrics for name in one}
    counts = {name for name in names if name.endswith(_ROWS)}
    return sorted(names - counts | {name.removesuffix(_ROWS) for name in counts})


def _measured(
    job: api.EvaluationJobMetadata, name: str, first: api.EvaluationJobMetadata | None = None
) -> str:
    """A metric of a job, its difference to the first job's, and the number of its rows if it is
    not measured on all."""
    if name not in job.metrics:
        return "not measured" if name + _ROWS in job.metrics else ""
    score = job.metrics[name]
    parts = [f"{score:.4g}"]
    if first is not None and name in first.metrics:
        parts.append(f"({score - first.metrics[name]:+.4g})")
    if name + _ROWS in job.metrics:
        parts.append(f"({job.metrics[name + _ROWS]:.0f} of {job.rows} rows)")
    return " ".join(parts)


def _line(out: Output, text: str) -> str:
    """A text on one line. Keeps the end of a long text, because inputs begin alike."""
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN else f"{out.ellipsis}{flat[1 - SHOWN :]}"
