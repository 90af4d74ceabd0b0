"""Common parts of `fts datasets|models|adapters|prompts|configs`: list, show and remove."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ft import api
from ft.cli.exits import CommandFailed, Exit
from ft.cli.output.render import Column
from ft.cli.session import Session, command
from ft.client import FineTuningStudioClient

Reference = Annotated[str, typer.Argument(metavar="ID|NAME", help="Id or name.")]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="FIELD=VALUE",
        help="List only records with this value. Can be repeated. A studio of an earlier version "
        "ignores it.",
        show_default=False,
    ),
]
Sort = Annotated[
    str,
    typer.Option(
        metavar="FIELDS",
        help=(
            "Fields to sort by, such as `name` or `type, created_at desc`. Default: oldest first."
        ),
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of record that users register."""

    kind: str
    """Its name in the contract, such as `Dataset`."""
    columns: Sequence[Column]

    @property
    def field(self) -> str:
        """Its field in responses."""
        return self.kind.lower()

    def all(self, client: FineTuningStudioClient, **narrowed: Any) -> list[Any]:
        """All records, or those that match the fields of the list request in `narrowed`."""
        request = getattr(api, f"List{self.kind}sRequest")(**narrowed)
        return list(getattr(getattr(client, f"List{self.kind}s")(request), f"{self.field}s"))

    def find(self, client: FineTuningStudioClient, reference: str) -> Any:
        """The record with that id, or else with that name.

        Raises CommandFailed if there is none, or if several have the name.
        """
        everything = self.all(client)
        found = [item for item in everything if item.id == reference] or [
            item for item in everything if getattr(item, "name", None) == reference
        ]
        if not found:
            raise CommandFailed(f"no {self.field} has the id or name {reference!r}", Exit.NOT_FOUND)
        if len(found) > 1:
            ids = ", ".join(item.id for item in found)
            raise CommandFailed(
                f"{reference!r} is the name of several {self.field}s; give the id of one: {ids}",
                Exit.REFUSED,
            )
        return found[0]

    def id_of(self, client: FineTuningStudioClient, reference: str) -> str:
        """The id of the record with that id or name; empty for an empty text."""
        return str(self.find(client, reference).id) if reference else ""

    def remove(self, client: FineTuningStudioClient, id: str, **options: bool) -> None:
        """Removes the record with that id."""
        getattr(client, f"Remove{self.kind}")(
            getattr(api, f"Remove{self.kind}Request")(id=id, **options)
        )


DATASETS = Resource(
    "Dataset",
    [
        ("ID", "id"),
        ("NAME", "name"),
        ("TYPE", "type"),
        ("LOCATION", "location"),
        ("FEATURES", "features"),
    ],
)
MODELS = Resource(
    "Model",
    [("ID", "id"), ("NAME", "name"), ("TYPE", "type"), ("LOCATION", "location")],
)
ADAPTERS = Resource(
    "Adapter",
    [
        ("ID", "id"),
        ("NAME", "name"),
        ("MODEL", "model_id"),
        ("LOCATION", "location"),
        ("JOB", "fine_tuning_job_id"),
    ],
)
PROMPTS = Resource(
    "Prompt",
    [("ID", "id"), ("NAME", "name"), ("DATASET", "dataset_id"), ("TEMPLATE", "prompt_template")],
)
CONFIGS = Resource(
    "Config",
    [
        ("ID", "id"),
        ("TYPE", "type"),
        ("DESCRIPTION", "description"),
        ("SHIPPED", lambda config: "yes" if config.is_default else "no"),
        ("CONFIG", "config"),
    ],
)


def group(resource: Resource, help: str) -> typer.Typer:
    """The command group of a resource, with `show`. `list` and `remove` are added separately."""
    app = typer.Typer(help=help, no_args_is_help=True)

    def show(session: Session, reference: Reference) -> None:
        session.out.item(resource.find(session.client, reference))

    show.__doc__ = f"Show one {resource.field}."
    command(app, "show")(show)
    return app


def add_list(app: typer.Typer, resource: Resource) -> None:
    """Adds a `list` with the options for filter and order."""

    def listing(session: Session, filter: Filters = None, sort: Sort = "") -> None:
        found = resource.all(session.client, filter=parsed_filters(filter), order_by=sort)
        none = "match the filter" if filter else "yet"
        session.out.items(found, resource.columns, f"no {resource.field}s {none}")

    listing.__doc__ = f"List {resource.field}s."
    command(app, "list")(listing)


def add_remove(app: typer.Typer, resource: Resource, stays: str = "") -> None:
    """Adds a `remove` without options. `stays` is a sentence about what is not removed."""

    def remove(session: Session, reference: Reference) -> None:
        found = resource.find(session.client, reference)
        resource.remove(session.client, found.id)
        removed(session, resource, found.id)

    remove.__doc__ = f"Remove one {resource.field}. {stays}".strip()
    command(app, "remove")(remove)


def removed(session: Session, resource: Resource, id: str) -> None:
    """Reports that the record is removed."""
    if session.out.json:
        session.out.data({"removed": id})
    session.out.say(f"removed {resource.field} {id}")


def parsed_filters(filters: list[str] | None) -> dict[str, str]:
    """The filter of a list request. Raises CommandFailed for a text that is not FIELD=VALUE."""
    pairs = {}
    for filter in filters or ():
        field, equals, value = filter.partition("=")
        if not equals or not field:
            raise CommandFailed(f"--filter: {filter!r} is not FIELD=VALUE", Exit.USAGE)
        if field in pairs:
            raise CommandFailed(f"--filter: {field!r} is given twice", Exit.USAGE)
        pairs[field] = value
    return pairs


def text_or_file(value: str) -> str:
    """The text itself, or the content of the file that `@path` names."""
    if not value.startswith("@"):
        return value
    try:
        # The encoding of the locale may lack characters of the file's name.
        return Path(os.fsdecode(value[1:].encode())).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{value[1:]}: {error.strerror}", Exit.USAGE) from None
    except UnicodeDecodeError:
        raise CommandFailed(f"{value[1:]} is not a text file in UTF-8", Exit.USAGE) from None
