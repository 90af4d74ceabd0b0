"""`fts jobs diff`: differences between two jobs that may explain different adapters."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any

import typer

from ft import api
from ft._watch import Job
from ft.cli.exits import CommandFailed, Exit
from ft.cli.output.render import as_dict
from ft.cli.session import Session

FirstJob = Annotated[str, typer.Argument(metavar="A", help="Id of a job.")]
SecondJob = Annotated[str, typer.Argument(metavar="B", help="Id of another job of the same kind.")]

_IDENTITY = (
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
"""Fields of a record that identify the job and do not affect its result."""
_OUTCOME = "adapter.sha256"


def diff(session: Session, a: FirstJob, b: SecondJob) -> None:
    """Show the differences between two jobs.

    Compares the manifests of their adapters: data, settings, versions and weights. If a job has no
    manifest, compares the requests of the jobs. Exit status: 0 no difference, 1 a difference.
    """
    first, second = session.client.get_job(a), session.client.get_job(b)
    if type(first) is not type(second):
        raise CommandFailed(
            f"jobs {a} and {b} are of different kinds: give two jobs of one kind", Exit.USAGE
        )
    have_manifests = bool(_manifest(first) and _manifest(second))
    contents = (_manifest(job) if have_manifests else _record(job) for job in (first, second))
    one, two = (dict(_flat(content)) for content in contents)
    differences = [
        {"field": field, "a": one.get(field), "b": two.get(field)}
        for field in dict.fromkeys([*one, *two])
        if one.get(field) != two.get(field)
    ]
    if session.out.json:
        session.out.data(
            {
                "compared": "manifests" if have_manifests else "records",
                "same": not differences,
                "differences": differences,
            }
        )
    elif differences:
        rows = [[str(d["field"]), _shown(d["a"]), _shown(d["b"])] for d in differences]
        session.out.table(["FIELD", "A", "B"], rows)
    if [difference["field"] for difference in differences] == [_OUTCOME]:
        session.out.say("only the weights differ; the cause is not in the manifests")
    elif not have_manifests:
        session.out.say(
            "data and versions are not compared, because a job has no manifest"
            if differences
            else "the requests do not differ; data and versions are not compared, because a job "
            "has no manifest"
        )
    elif not differences:
        session.out.say("no differences: both jobs give the same adapter")
    if differences:
        raise typer.Exit(Exit.FAILED)


def _manifest(job: Job) -> dict[str, Any]:
    text = job.manifest if isinstance(job, api.FineTuningJobMetadata) else ""
    content = json.loads(text or "{}")
    return content if isinstance(content, dict) else {}


def _record(job: Job) -> dict[str, Any]:
    """The fields of a record that affect the result, with configs as objects."""
    found = {name: value for name, value in as_dict(job).items() if name not in _IDENTITY}
    for name in found:
        if "config" in name:
            with suppress(TypeError, ValueError):
                found[name] = json.loads(found[name])
    return found


def _flat(content: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """All values by their paths. A text with its hash becomes the text."""
    for name, value in content.items():
        if isinstance(value, dict) and value.keys() == {"sha256", "text"}:
            yield f"{within}{name}", value["text"]
        elif isinstance(value, dict):
            yield from _flat(value, f"{within}{name}.")
        else:
            yield f"{within}{name}", value


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
