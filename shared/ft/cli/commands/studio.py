"""`fts up`, `down`, `status` and `health`."""

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
        help=f"Where the studio listens; {studio.DEFAULT_LISTEN} initially. There is no "
        "authentication: everyone who can reach this address can use the studio.",
        show_default=False,
    ),
]
Project = Annotated[
    Path | None,
    typer.Option(
        help="Folder that the studio and its jobs share; `project` in the home initially.",
        show_default=False,
    ),
]
TrainerPython = Annotated[
    Path | None,
    typer.Option(
        help="Python that runs jobs; initially that of .venv-trainer next to this environment.",
        show_default=False,
    ),
]
Workspace = Annotated[
    bool | None,
    typer.Option(
        "--workspace/--workbench",
        help="Run jobs in the Cloudera AI workspace of this session, or on this machine; initially "
        "on this machine.",
        show_default=False,
    ),
]
IMPORT_SECONDS = 10.0
"""Seconds that `fts up` waits for the check that the trainer can be imported. Most of them have
passed when the studio serves."""
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait until it serves.")]


def up(
    session: Session,
    listen: Listen = None,
    project: Project = None,
    trainer_python: TrainerPython = None,
    workspace: Workspace = None,
    wait: Wait = 60.0,
) -> None:
    """Start the studio on this machine; one that runs is left as it is.

    Options that are not given are as they were the last time.
    """
    wanted = studio.Wanted(listen, project, trainer_python, workspace)
    address = studio.up(session.home, wanted, wait)
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
    """Stop the studio on this machine. Jobs that run go on; the next `fts up` finds them."""
    stopped = studio.down(session.home)
    if session.out.json:
        session.out.data({"stopped": stopped})
    elif not stopped:
        session.out.say(f"no studio runs in {session.home.path}")
    else:
        session.out.say("stopped; jobs that run go on, and the next `fts up` finds them again")


def status(session: Session) -> None:
    """Show the processes of the studio on this machine."""
    reports = studio.status(session.home)
    if session.out.json:
        session.out.data([_as_data(report) for report in reports])
    elif reports:
        session.out.table(
            ["PROCESS", "STATE", "PID", "UP", "HEALTH"], [_as_row(report) for report in reports]
        )
    if not reports:
        raise CommandFailed(f"no studio runs in {session.home.path}; `fts up` starts one")
    if not session.out.json and (why := studio.no_trainer(session.home)):
        session.out.say(f"jobs with the studio's own scripts are refused: {why}")
    if any(report.health != health.SERVING for report in reports):
        raise CommandFailed("not every process is healthy")


def _as_data(report: studio.ProcessReport) -> dict[str, str | int]:
    process = report.process
    return {
        "name": report.name,
        "state": process.state,
        "pid": process.pid,
        "uptime": process.uptime,
        "health": report.health,
    }


def _as_row(report: studio.ProcessReport) -> list[str]:
    process = report.process
    up = str(timedelta(seconds=process.uptime)) if process.pid else ""
    return [report.name, process.state, str(process.pid or ""), up, report.health]


def show_health(session: Session) -> None:
    """Ask the studio whether it and each of its domains can serve."""
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
