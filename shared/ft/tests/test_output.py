"""The command with output that cannot be printed: it says so in plain words, and never fails by it.

Each runs as a process of its own, by a shell where that is what gives the odd streams.
"""

import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ft import api
from ft.cli.exits import Exit
from ft.tests.conftest import Fts, Server
from ft.tests.studio import Studio
from tests.processes import starts_processes

FTS = f"{shlex.quote(sys.executable)} -m ft.cli"
NAME = "Größe 日本語 \x1b[2J"
ENVIRONMENTS = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "strict": {"PYTHONIOENCODING": "ascii:strict"},
    "narrow": {"COLUMNS": "1", "LINES": "1"},
    "no columns": {"COLUMNS": "0"},
    "dumb": {"TERM": "dumb", "NO_COLOR": "1"},
    "no term": {"TERM": ""},
    "forced": {"FORCE_COLOR": "1", "PYTHONIOENCODING": "ascii"},
}
LIST = ("models", "list")
SHOW = ("models", "show", "model-1")
WATCH = ("jobs", "watch", "job-1")
LOGS = ("logs", "job-1")
ERROR = ("models", "show", "nö\x1b[2J")
TRAIN = ("train", "--name", "new", "--model", "model-1", "--dataset", "d", "--prompt", "p")
COMMANDS = {"list": LIST, "show": SHOW, "watch": WATCH, "logs": LOGS, "error": ERROR}
COMMANDS |= {"train": TRAIN, "help": ("--help",), "usage": ("models", "nö\x1b[2J")}
COMMANDS |= {"json": (*LIST, "--json"), "export": ("db", "export")}
FEW = ("list", "watch")
"""Of a process for each, where the commands have nothing of their own."""
STATUSES = {"error": Exit.NOT_FOUND, "usage": Exit.USAGE}

Shell = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
@starts_processes
def shell(server: Server, fts: Fts, studio: Studio, registered: None, tmp_path: Path) -> Shell:
    """Runs a command line in which `{fts}` stands for a command, with its arguments."""
    studio.kept["model"]["model-1"] = api.ModelMetadata(id="model-1", name=NAME)
    job = api.FineTuningJobMetadata(id="job-1", adapter_name=NAME)
    studio.kept["job"] = {"job-1": job}
    studio.log = f"{NAME}\nend\n".encode()
    studio.statuses = [
        api.JobStatus(state="RUNNING"),
        api.JobStatus(state="RUNNING", step=1, total_steps=2, loss=1.0),
        api.JobStatus(state="RUNNING", step=2, total_steps=2, loss=0.5),
        api.JobStatus(state="SUCCEEDED", step=2, total_steps=2, loss=0.5),
    ]

    def run(line: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        where = f"--server 127.0.0.1:{server.port} --home {shlex.quote(str(tmp_path / 'home'))}"
        options = "" if "--help" in arguments else where
        given = f"{FTS} {shlex.join(arguments)} {options}"
        return subprocess.run(
            ["/bin/bash", "-o", "pipefail", "-c", line.replace("{fts}", given)],
            env={**os.environ, **environment},
            capture_output=True,
            timeout=120,
        )

    return run


def _plain(ran: subprocess.CompletedProcess[bytes], colour: bool = False) -> None:
    """Nothing went wrong that is not said in plain words."""
    for word in (b"Traceback", b"Exception ignored", b"Error:  ", b"UnicodeEncodeError"):
        assert word not in ran.stderr, ran.stderr
        assert word not in ran.stdout, ran.stdout
    if not colour:
        assert b"\x1b" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_output_works_with_any_encoding_and_terminal(shell: Shell, environment: str) -> None:
    for kind in COMMANDS if environment in ("ascii", "C") else FEW:
        ran = shell("{fts}", *COMMANDS[kind], **ENVIRONMENTS[environment])
        assert ran.returncode == STATUSES.get(kind, 0), (kind, ran.stderr)
        _plain(ran, colour=environment == "forced")
        assert b"\x1b[2J" not in ran.stdout + ran.stderr
        if kind in ("json", "export"):
            json.loads(ran.stdout)
        if kind == "json":
            names = [model["name"] for model in json.loads(ran.stdout)]
            assert NAME in names
        if environment in ("ascii", "C", "strict") and kind != "export":
            assert (ran.stdout + ran.stderr).isascii()


def test_characters_missing_from_the_encoding_are_escaped(shell: Shell) -> None:
    shown = shell("{fts}", *LIST, PYTHONIOENCODING="cp1252").stdout.decode("cp1252")
    assert r"Größe \u65e5\u672c\u8a9e \x1b[2J" in shown


@pytest.mark.parametrize("environment", ["C", "dumb"])
def test_names_are_utf8_whatever_the_locale(
    shell: Shell, studio: Studio, environment: str, tmp_path: Path
) -> None:
    (tmp_path / "öl.json").write_text('{"größe": 1}', encoding="utf-8")
    config = ("configs", "add", "--type", "custom", "--config", f"@{tmp_path}/öl.json")
    variables = ENVIRONMENTS[environment]
    added = shell("{fts}", "models", "add", "--name", "Größe", "--location", "l", **variables)
    assert (added.returncode, studio.requests[-1].name) == (0, "Größe"), added.stderr
    assert shell("{fts}", *config, **variables).returncode == 0
    assert studio.requests[-1].config == '{"größe": 1}'


def test_arguments_that_are_no_text_are_refused(shell: Shell) -> None:
    ran = shell("{fts} --location l --name $'a\\xff'", "models", "add")
    assert ran.returncode == Exit.USAGE
    assert b"name: " in ran.stderr
    assert b"is not UTF-8" in ran.stderr
    _plain(ran)


@pytest.mark.parametrize(
    ("kind", "full", "why"),
    [
        *((kind, "> /dev/full", b"No space left on device") for kind in COMMANDS),
        *((kind, ">&-", b"is closed") for kind in FEW),
    ],
)
def test_full_or_closed_output_is_reported(shell: Shell, kind: str, full: str, why: bytes) -> None:
    ran = shell(f"{{fts}} {full}", *COMMANDS[kind])
    assert ran.returncode == STATUSES.get(kind, Exit.FAILED)
    _plain(ran)
    if kind not in STATUSES:
        assert b"error: standard output: " in ran.stderr
        assert why in ran.stderr
    # What has become of a job is to be known all the same.
    if kind == "train":
        assert b"started fine-tuning job job-2 (new)" in ran.stderr


@pytest.mark.parametrize("options", [(), ("--json",), ("--watch",)])
@pytest.mark.parametrize("line", ["{fts} > /dev/full", "{fts} >&-", "{fts} | true"])
def test_started_job_is_named_despite_lost_output(
    shell: Shell, studio: Studio, line: str, options: tuple[str, ...]
) -> None:
    ran = shell(line, *TRAIN, *options)
    assert studio.calls["StartFineTuningJob"] == 1
    _plain(ran)
    # A pipe that takes what is written before its reader ends has taken it.
    if ran.returncode:
        assert b"job-2" in ran.stderr
    else:
        assert "|" in line


@pytest.mark.parametrize("kind", ["list", "error", "train"])
@pytest.mark.parametrize(
    "line",
    [
        "{fts} 2> /dev/full",
        "{fts} 2>&-",
        "{fts} <&-",
        "{fts} < /dev/null",
        "setsid {fts}",
        "{fts} <&- >&- 2>&-",
        "{fts} > /dev/full 2>&1",
    ],
)
def test_missing_standard_streams_are_tolerated(shell: Shell, kind: str, line: str) -> None:
    ran = shell(line, *COMMANDS[kind])
    lost = "> /dev/full 2>&1" in line or " >&-" in line
    assert ran.returncode == STATUSES.get(kind, Exit.FAILED if lost else 0), ran.stderr
    _plain(ran)


@pytest.mark.parametrize("kind", ["list", "watch", "logs", "error", "train", "help", "json"])
def test_reader_that_goes_away_ends_the_command_quietly(
    server: Server, shell: Shell, studio: Studio, kind: str
) -> None:
    studio.log *= 100_000
    where = () if kind == "help" else ("--server", f"127.0.0.1:{server.port}")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "ft.cli", *COMMANDS[kind], *where]
    ran = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=120)
    os.close(writing)
    assert ran.returncode == STATUSES.get(kind, Exit.READER_GONE)
    assert b"Traceback" not in ran.stderr
    if kind == "train":
        assert ran.stderr == b"started fine-tuning job job-2 (new)\n"
    elif kind not in STATUSES:
        assert ran.stderr == b""


def test_pipe_to_head_ends_quietly(shell: Shell, studio: Studio) -> None:
    for number in range(2_000):
        studio.kept["model"][str(number)] = api.ModelMetadata(id=str(number), name=NAME)
    ran = shell("{fts} | head -1", *LIST)
    assert ran.stdout.split()[:2] == [b"ID", b"NAME"]
    assert ran.stderr == b""
    assert ran.returncode in (0, Exit.READER_GONE)


@pytest.mark.parametrize(
    ("variables", "marks"),
    [({"PYTHONIOENCODING": "utf-8"}, "█▁"), ({"PYTHONIOENCODING": "ascii"}, "#_")],
)
def test_terminal_shows_a_bar_in_its_encoding(
    server: Server, shell: Shell, studio: Studio, variables: dict[str, str], marks: str
) -> None:
    shown = _on_a_terminal(server, *WATCH, TERM="xterm-256color", **variables)
    assert marks in shown
    assert "2/2" in shown
    assert "\x1b[2J" not in shown
    assert "Traceback" not in shown
    assert shown.isascii() == (variables["PYTHONIOENCODING"] == "ascii")


def test_dumb_terminal_shows_lines(server: Server, shell: Shell) -> None:
    shown = _on_a_terminal(server, *WATCH, TERM="dumb")
    assert "SUCCEEDED  2/2" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("columns", ["1", "20"])
def test_narrow_terminal_shows_whole_values(server: Server, shell: Shell, columns: str) -> None:
    for kind in FEW:
        shown = _on_a_terminal(server, *COMMANDS[kind], TERM="xterm", COLUMNS=columns)
        assert "Traceback" not in shown
        assert "\x1b[2J" not in shown


def _on_a_terminal(server: Server, *arguments: str, **environment: str) -> str:
    """What a command writes on a terminal of its own."""
    leader, follower = pty.openpty()
    where = () if "--help" in arguments else ("--server", f"127.0.0.1:{server.port}")
    with subprocess.Popen(
        [sys.executable, "-m", "ft.cli", *arguments, *where],
        env={**os.environ, **environment},
        stdin=follower,
        stdout=follower,
        stderr=follower,
    ) as running:
        os.close(follower)
        shown = b""
        while True:
            try:
                part = os.read(leader, 65_536)
            except OSError:
                break
            if not part:
                break
            shown += part
        os.close(leader)
        running.wait(60)
    return shown.decode()
