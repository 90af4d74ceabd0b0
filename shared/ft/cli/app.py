"""The command `fts`, assembled from its subcommands."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ft.cli.commands import (
    control,
    database,
    diff,
    evaluations,
    exports,
    jobs,
    registry,
    serve,
    studio,
    train,
)
from ft.cli.demo.command import demo
from ft.cli.exits import MEANINGS
from ft.cli.session import command
from ft.text.streams import safe_streams


class SafeCommandGroup(TyperGroup):
    """All commands. They print to safe streams, also if a script calls them."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Runs the command that the arguments name."""
        with safe_streams():
            return super().main(*args, **options)


app = typer.Typer(
    name="fts",
    cls=SafeCommandGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=MEANINGS,
)


def _version(wanted: bool) -> None:
    if wanted:
        # Here, because other commands do without its many imports.
        from importlib.metadata import version

        typer.echo(version("fine-tuning-studio"))
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Fine Tuning Studio: register models and data, fine-tune, evaluate, export and serve."""


command(app, "up")(studio.up)
command(app, "down")(studio.down)
command(app, "status")(studio.status)
command(app, "health")(studio.show_health)
command(app, "demo")(demo)
command(app, "train")(train.train)
command(app, "evaluate")(command(evaluations.app, "start")(evaluations.start))
command(app, "export")(exports.export)
command(app, "logs")(jobs.logs)
command(app, "cancel")(control.cancel)
command(app, "resume")(control.resume)
command(app, "serve")(serve.serve)
command(app, "ask")(serve.ask)
command(jobs.jobs, "events")(control.events)
command(jobs.jobs, "diff")(diff.diff)
app.add_typer(evaluations.app, name="eval")
app.add_typer(jobs.jobs, name="jobs")
app.add_typer(serve.served, name="served")
app.add_typer(registry.datasets, name="datasets")
app.add_typer(registry.models, name="models")
app.add_typer(registry.adapters, name="adapters")
app.add_typer(registry.prompts, name="prompts")
app.add_typer(registry.configs, name="configs")
app.add_typer(database.app, name="db")
