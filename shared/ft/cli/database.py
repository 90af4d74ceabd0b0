"""`fts db`: everything the studio knows, as a file."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ft import api
from ft.cli.exits import CommandFailed, Exit
from ft.cli.session import Session, command

SECONDS = 600.0
"""An export reads every table, an import writes them."""

app = typer.Typer(help="Export and import everything the studio knows.", no_args_is_help=True)


@command(app, "export")
def export(
    session: Session,
    file: Annotated[Path, typer.Argument(help="Where to write it; - for standard output.")] = Path(
        "-"
    ),
) -> None:
    """Write everything the studio knows to a JSON file."""
    response = session.client.ExportDatabase(api.ExportDatabaseRequest(), timeout=SECONDS)
    if file == Path("-"):
        sys.stdout.write(response.exported_json + "\n")
        return
    try:
        file.write_text(response.exported_json)
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}", Exit.USAGE) from None
    session.out.say(f"exported to {file}")


@command(app, "import")
def import_file(
    session: Session,
    path: Annotated[str, typer.Argument(help="Path within the project directory.")],
) -> None:
    """Take in a file made by `fts db export`. Ids are kept."""
    session.client.ImportDatabase(
        api.ImportDatabaseRequest(imported_json_path=path), timeout=SECONDS
    )
    session.out.say(f"imported {path}")
