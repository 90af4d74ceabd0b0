"""`fts jobs diff`: what may make the adapters of two jobs differ."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from ft import api
from ft._watch import Job
from ft.cli.exits import CommandFailed, Exit
from ft.cli.output.render import as_dict
from ft.cli.session import Session

FirstJob = Annotated[str, typer.Argument(metavar="A", help="Id of a job.")]
SecondJob = Annotated[str, typer.Argument(metavar="B", help="Id of another one of its kind.")]

_OF_THE_JOB = (
    "id",
    "cml_job_id",
    "adapter_id",
    "adapter_name",
    "out_dir",
    "status",
    "created_at",
    "updated_at",
    "manifest",
)
"""Fields of a record that say which job it is, and nothing of what it does."""
_OUTCOME = "adapter.sha256"


def diff(session: Session, a: FirstJob, b: SecondJob) -> None:
    """Name what differs between two jobs: what their adapters came from, or, where a job has told
    nothing of that, what they were started with. Exit status: 0 nothing differs, 1 something does.
    """
    first, second = session.client.get_job(a), session.client.get_job(b)
    if type(first) is not type(second):
        raise CommandFailed(f"jobs {a} and {b} are of different kinds", Exit.USAGE)
    told = bool(_manifest(first) and _manifest(second))
    contents = [_manifest(job) if told else _record(job) for job in (first, second)]
    differences = list(_differences(*(dict(_flat(one)) for one in contents)))
    if session.out.json:
        session.out.data(
            {
                "compared": "manifests" if told else "records",
                "same": not differences,
                "differences": differences,
            }
        )
    elif differences:
        rows = [[one["field"], _shown(one["a"]), _shown(one["b"])] for one in differences]
        session.out.table(["FIELD", "A", "B"], rows)
    if said := _said(told, [one["field"] for one in differences]):
        session.out.say(said)
    if differences:
        raise typer.Exit(Exit.FAILED)


def _manifest(job: Job) -> dict[str, Any]:
    text = job.manifest if isinstance(job, api.FineTuningJobMetadata) else ""
    content = json.loads(text or "{}")
    return content if isinstance(content, dict) else {}


def _record(job: Job) -> dict[str, Any]:
    found = {name: value for name, value in as_dict(job).items() if name not in _OF_THE_JOB}
    return {name: _config(value) if "config" in name else value for name, value in found.items()}


def _config(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def _flat(content: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """Every value under the names that lead to it; a text with its hash as the text alone."""
    for name, value in content.items():
        if isinstance(value, dict) and value.keys() == {"sha256", "text"}:
            yield f"{within}{name}", value["text"]
        elif isinstance(value, dict):
            yield from _flat(value, f"{within}{name}.")
        else:
            yield f"{within}{name}", value


def _differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for field in dict.fromkeys([*a, *b]):
        if a.get(field) != b.get(field):
            yield {"field": field, "a": a.get(field), "b": b.get(field)}


def _said(told: bool, differing: list[str]) -> str:
    """What is to be said beside the differences; empty for nothing."""
    if differing == [_OUTCOME]:
        return "only the weights differ: something that is not in the manifests made them differ"
    if told:
        return "" if differing else "nothing differs: both jobs give the same adapter"
    lacking = "not both jobs have a manifest, so data and versions are not compared"
    return lacking if differing else f"nothing differs that they were started with; {lacking}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
