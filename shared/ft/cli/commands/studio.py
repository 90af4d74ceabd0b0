"""`fts up`, `down`, `status` and `health`: the studio on this machine."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from ft import health
from ft.cli.exits import CommandFailed, Exit
from ft.cli.session import Session
from ft.job_protocol.variables import STUDIO_IP, STUDIO_PORT
from ft.local import studio
from ft.services import STUDIO

Listen = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help=f"Address on which the studio listens; {studio.DEFAULT_LISTEN} at the first start. "
        "There is no authentication: everyone who can reach this address can use the studio.",
        show_default=False,
    ),
]
Project = Annotated[
    Path | None,
    typer.Option(
        help="Folder that the studio and its jobs share; `project` in the home at the first start.",
        show_default=False,
    ),
]
TrainerPython = Annotated[
    Path | None,
    typer.Option(
        help="Python interpreter for jobs; that of .venv-trainer next to this environment at the "
        "first start.",
        show_default=False,
    ),
]
Workspace = Annotated[
    bool | None,
    typer.Option(
        "--workspace/--workbench",
        help="Run jobs in the Cloudera AI workspace of this session, or on this machine. At the "
        "first start: on this machine.",
        show_default=False,
    ),
]
IMPORT_SECONDS = 10.0
"""Seconds that `fts up` waits for the check that the trainer can be imported. The check starts
with the studio, so most of the time has passed when the studio serves."""
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait until the studio serves.")]


def up(
    session: Session,
    listen: Listen = None,
    project: Project = None,
    trainer_python: TrainerPython = None,
    workspace: Workspace = None,
    wait: Wait = 60.0,
) -> None:
    """Start the studio on this machine. A studio that runs already is not changed.

    Each option keeps the value of the last start unless you give another one.
    """
    options = studio.SetupOptions(listen, project, trainer_python, workspace)
    address = studio.up(session.home, options, wait)
    host, _, port = address.rpartition(":")
    no_trainer = studio.no_trainer(session.home, min(wait, IMPORT_SECONDS))
    if session.out.json:
        up = {"address": address, "home": str(session.home.path)}
        session.out.data({**up, "no_trainer": no_trainer} if no_trainer else up)
    session.out.say(f"the studio serves at {address}; logs are in {session.home.logs}")
    session.out.say(f"scripts find it with {STUDIO_IP}={host} {STUDIO_PORT}={port}")
    if no_trainer:
        session.out.say(f"jobs with the studio's own scripts are refused: {no_trainer}")


def down(session: Session) -> None:
    """Stop the studio on this machine. Running jobs continue; the next `fts up` finds them."""
    stopped = studio.down(session.home)
    if session.out.json:
        session.out.data({"stopped": stopped})
    elif not stopped:
        session.out.say(f"no studio runs in {session.home.path}")
    else:
        session.out.say("stopped; running jobs continue, and the next `fts up` finds them")


def status(session: Session) -> None:
    """Show the state of each process of the studio on this machine."""
    reports = studio.status(session.home)
    if session.out.json:
        session.out.data(
            [{"name": one.name, **asdict(one.process), "health": one.health} for one in reports]
        )
    elif reports:
        rows = []
        for one in reports:
            process = one.process
            up = str(timedelta(seconds=process.uptime)) if process.pid else ""
            rows.append([one.name, process.state, str(process.pid or ""), up, one.health])
        session.out.table(["PROCESS", "STATE", "PID", "UP", "HEALTH"], rows)
    if not reports:
        raise CommandFailed(f"no studio runs in {session.home.path}; `fts up` starts one")
    if not session.out.json and (why := studio.no_trainer(session.home)):
        session.out.say(f"jobs with the studio's own scripts are refused: {why}")
    if any(report.health != health.SERVING for report in reports):
        raise CommandFailed("not every process is healthy")


def show_health(session: Session) -> None:
    """Show the health of the studio and of each domain."""
    channel = session.client.channel
    found = {"studio": health.check(channel, STUDIO.full_name)}
    if found["studio"] == health.UNREACHABLE:
        raise CommandFailed(f"no studio answers at {session.client.address}", Exit.UNAVAILABLE)
    found |= {name: health.check(channel, name) for name in health.DOMAINS}
    if session.out.json:
        session.out.data(found)
    else:
        session.out.table(["PART", "HEALTH"], [[name, state] for name, state in found.items()])
    if found["studio"] != health.SERVING:
        raise CommandFailed("the studio is not healthy")
