"""`fts db`: exports and imports all tables of the studio."""

import codecs
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from ft import api
from ft.cli.exits import CommandFailed, Exit
from ft.cli.output.render import as_dict
from ft.cli.session import Session, command
from ft.cli.sqlite_file import UnreadableDatabase, document
from ft.client import FineTuningStudioClient, UnimplementedError

SECONDS = 600.0
"""Deadline of a call. An export reads all tables, and an import writes them."""
MAX_SHOWN = 20
"""Number of refused rows that are shown. --json shows all."""

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only report what the import would do.")]

Conflict = Annotated[
    api.OnConflict,
    typer.Option(
        "--on-conflict",
        help="Handling of rows that already exist with different content: refuse the import, skip "
        "these rows, or replace the fields that users can set (this needs a file made by `fts db "
        "export`).",
    ),
]

app = typer.Typer(help="Export and import all tables of the studio.", no_args_is_help=True)


@command(app, "export")
def export(
    session: Session,
    file: Annotated[Path, typer.Argument(help="File to write. - is standard output.")] = Path("-"),
) -> None:
    """Write all tables of the studio to a JSON file."""
    if file == Path("-"):
        decode = codecs.getincrementaldecoder("utf-8")().decode
        for part in _parts(session.client):
            session.out.document(decode(part))
        session.out.document("\n")
        return
    with _replacing(file) as out:
        for part in _parts(session.client):
            out.write(part)
    session.out.say(f"exported to {file}")


@command(app, "import")
def import_file(
    session: Session,
    path: Annotated[
        str,
        typer.Argument(help="Path of the file on this machine, or else in the project directory."),
    ],
    dry_run: DryRun = False,
    on_conflict: Conflict = api.OnConflict.REFUSE,
) -> None:
    """Import a file made by `fts db export`, completely or not at all. Ids do not change."""
    file = Path(os.fsdecode(path.encode()))
    response = None
    if file.is_file():
        project = session.project_dir
        other = project / file if project else file
        if other.is_file() and not other.samefile(file):
            raise CommandFailed(
                f"{file} is a file here, {file.resolve()}, and another one in the project "
                f"directory, {other}: give the whole path of the one to import",
                Exit.USAGE,
            )
        response = _import_local_file(session.client, file, dry_run, on_conflict)
    if response is None:
        request = api.ImportDatabaseRequest(
            imported_json_path=path, dry_run=dry_run, on_conflict=on_conflict
        )
        response = session.client.ImportDatabase(request, timeout=SECONDS)
    _report(session, path, response, dry_run)


def _import_local_file(
    client: FineTuningStudioClient, file: Path, dry_run: bool, on_conflict: api.OnConflict
) -> api.ImportDatabaseResponse | None:
    """Imports a file of this machine by sending its content.

    Returns None if the studio is of an earlier version, which accepts paths only.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CommandFailed(f"{file} is not a text file in UTF-8", Exit.USAGE) from None
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}", Exit.USAGE) from None
    request = api.ImportDocumentRequest(
        exported_json=text, dry_run=dry_run, on_conflict=on_conflict
    )
    try:
        return client.ImportDocument(request, timeout=SECONDS)
    except UnimplementedError:
        return None


@command(app, "import-sqlite")
def import_sqlite(
    session: Session,
    file: Annotated[Path, typer.Argument(help="Database file of another studio.")],
    dry_run: DryRun = False,
    on_conflict: Conflict = api.OnConflict.REFUSE,
) -> None:
    """Import the SQLite file of a studio that stores all tables in one file.

    The file is only read.
    """
    try:
        content = document(file)
    except UnreadableDatabase as error:
        raise CommandFailed(str(error), Exit.USAGE) from None
    request = api.ImportDocumentRequest(
        exported_json=json.dumps(content), dry_run=dry_run, on_conflict=on_conflict
    )
    response = session.client.ImportDocument(request, timeout=SECONDS)
    _report(session, str(file), response, dry_run)


def _parts(client: FineTuningStudioClient) -> Iterator[bytes]:
    """The document in parts. A studio of an earlier version sends it in one."""
    try:
        for part in client.StreamExport(api.StreamExportRequest(), timeout=SECONDS):
            yield part.data
    except UnimplementedError:
        response = client.ExportDatabase(api.ExportDatabaseRequest(), timeout=SECONDS)
        yield response.exported_json.encode()


@contextmanager
def _replacing(file: Path) -> Iterator[BinaryIO]:
    """Opens a new file, readable for its owner only, that replaces `file` if the block succeeds."""
    target = file.resolve()
    partial = target.with_name(f".{target.name}.partial")
    try:
        if target.exists() and not target.is_file():
            # A device or a pipe is written to, not replaced.
            with target.open("wb") as out:
                yield out
            return
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            yield out
        partial.replace(target)
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}", Exit.USAGE) from None
    finally:
        partial.unlink(missing_ok=True)


def _report(
    session: Session, source: str, response: api.ImportDatabaseResponse, dry_run: bool
) -> None:
    refused = [row for table in response.tables for row in table.refused]
    if session.out.json:
        session.out.data(as_dict(response))
    else:
        session.out.table(
            ("TABLE", "NEW", "IDENTICAL", "SKIPPED", "REPLACED", "REFUSED"),
            [
                (
                    t.table,
                    *map(
                        str,
                        map(len, (t.taken, t.identical, t.skipped, t.replaced, t.refused)),
                    ),
                )
                for t in response.tables
            ],
        )
        for line in _report_lines(response):
            session.out.say(line)
    if refused:
        raise CommandFailed(f"{source} cannot be imported: {len(refused)} rows are refused")
    session.out.say(f"{source} can be imported" if dry_run else f"imported {source}")


def _report_lines(response: api.ImportDatabaseResponse) -> Iterator[str]:
    """Lines about rows that are skipped, replaced or refused, and about tables left out."""
    for table in response.tables:
        for row in table.skipped:
            yield (
                f"{table.table} {row.id}: skipped; the existing row differs in "
                f"{', '.join(row.kept)}"
            )
        for row in table.replaced:
            kept = f"; kept {', '.join(row.kept)}" if row.kept else ""
            yield f"{table.table} {row.id}: replaced {', '.join(row.changed)}{kept}"
        for id in table.stale:
            yield (
                f"{table.table} {id}: another studio has changed it; therefore its times and other "
                "values that only this studio has are not imported"
            )
        if table.left_out_columns:
            names = ", ".join(table.left_out_columns)
            yield f"{table.table}: not imported, because the studio has no such columns: {names}"
    if response.left_out_tables:
        names = ", ".join(response.left_out_tables)
        yield f"not imported, because the studio has no such tables: {names}"
    refused = [row for table in response.tables for row in table.refused]
    for refusal in refused[:MAX_SHOWN]:
        yield f"{refusal.place} {refusal.id}: {refusal.reason} ({refusal.rule})"
    if len(refused) > MAX_SHOWN:
        yield f"and {len(refused) - MAX_SHOWN} more rows are refused; --json shows all"
