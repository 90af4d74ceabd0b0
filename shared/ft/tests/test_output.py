"""The command where its output cannot be printed, or would command the terminal."""

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ft import api
from ft.terminal import NOT_PRINTED
from ft.tests.conftest import Fts, Server
from ft.tests.studio import Studio

HOSTILE = "a\x1b]0;owned\x07\x9b31m\r\u202eÜ中\U0001f600[red]x"
REFUSED = ("Traceback", "UnicodeEncodeError", "Exception ignored")


def fts(server: Server, *arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **options.pop("environment", {})}
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.run(
        [sys.executable, "-m", "ft.cli", *arguments, "--server", f"127.0.0.1:{server.port}"],
        env=environment,
        stderr=subprocess.PIPE,
        timeout=60,
        **options,
    )


@pytest.fixture
def hostile(studio: Studio) -> None:
    """One of everything, with a name that commands a terminal."""
    studio.kept["dataset"] = {"d": api.DatasetMetadata(id="d", name=HOSTILE, location=HOSTILE)}
    studio.kept["model"] = {"m": api.ModelMetadata(id="m", name=HOSTILE)}
    studio.kept["adapter"] = {"a": api.AdapterMetadata(id="a", name=HOSTILE, model_id="m")}
    studio.kept["prompt"] = {
        "p": api.PromptMetadata(id="p", name=HOSTILE, dataset_id="d", prompt_template=HOSTILE)
    }
    studio.kept["config"] = {"c": api.ConfigMetadata(id="c", description=HOSTILE, config=HOSTILE)}
    studio.kept["job"] = {"j": api.FineTuningJobMetadata(id="j", adapter_name=HOSTILE)}
    studio.kept["evaluation"] = {
        id: api.EvaluationJobMetadata(
            id=id,
            parent_job_id="parent",
            base_model_id=f"m{id}",
            metrics={"exact_match": score, "ari_grade_level_rows": 0},
            rows=1,
        )
        for id, score in (("e", 0.0), ("f", 1.0))
    }
    studio.statuses = [
        api.JobStatus(state="FAILED", failure_reason=HOSTILE, notices=[HOSTILE], attempt=2)
    ]
    studio.log = HOSTILE.encode() + b"\nlast \xff\n"
    for id, output in (("e", "no"), ("f", HOSTILE)):
        row = api.EvaluationRow(input=HOSTILE, expected=HOSTILE, output=output)
        row.scores["exact_match"] = float(output == HOSTILE)
        studio.results[id] = [row]


COMMANDS = [
    *((kind, verb) for kind in ("datasets", "models", "adapters", "prompts") for verb in ("list",)),
    ("datasets", "show", "d"),
    ("prompts", "show", "p"),
    ("configs", "list"),
    ("configs", "show", "c"),
    ("jobs", "list"),
    ("jobs", "show", "j"),
    ("jobs", "watch", "j"),
    ("jobs", "diff", "e", "f"),
    ("logs", "j"),
    ("eval", "show", "e"),
    ("eval", "compare", "parent"),
]


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("json_too", [False, True])
def test_nothing_that_the_studio_holds_commands_the_terminal(
    fts: Fts, command: tuple[str, ...], *, json_too: bool
) -> None:
    result = fts(*command, *(["--json"] if json_too else []))
    assert not NOT_PRINTED.search(result.output), result.output
    assert "owned" in result.output or command[1] == "diff"
    if json_too and command[0] != "logs":
        json.loads(result.stdout)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
def test_any_name_is_shown_without_commands(fts: Fts, studio: Studio, text: str) -> None:
    studio.kept["job"] = {"j": api.FineTuningJobMetadata(id="j", adapter_name=text)}
    studio.statuses = [api.JobStatus(state="SUCCEEDED", notices=[text or "x"])]
    for command in (("jobs", "list"), ("jobs", "show", "j"), ("jobs", "watch", "j")):
        result = fts(*command)
        assert result.exit_code == 0
        assert not NOT_PRINTED.search(result.output)


def test_a_log_can_be_had_as_it_is(server: Server, studio: Studio) -> None:
    studio.kept["job"] = {"j": api.FineTuningJobMetadata(id="j")}
    studio.log = b"\x1b[31mred\r\n\xff\n"
    assert fts(server, "logs", "j", "--raw").stdout == studio.log
    assert fts(server, "logs", "j").stdout == b"\\x1b[31mred\n\\xff\n"


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONIOENCODING": "latin-1:strict", "COLUMNS": "1"},
        {"COLUMNS": "1", "NO_COLOR": "1", "TERM": "dumb"},
        {"FORCE_COLOR": "1", "COLUMNS": "3", "PYTHONIOENCODING": "ascii"},
    ],
)
def test_an_encoding_that_lacks_characters_is_no_failure(
    server: Server, environment: dict[str, str]
) -> None:
    for command in (
        ("datasets", "list"),
        ("jobs", "show", "j"),
        ("logs", "j"),
        ("eval", "show", "e"),
    ):
        result = fts(server, *command, environment=environment, stdin=subprocess.DEVNULL)
        assert (result.returncode, result.stderr) == (0, b"")
    as_json = fts(server, "datasets", "list", "--json", environment=environment)
    encoding = environment.get("PYTHONIOENCODING", "utf-8").partition(":")[0]
    assert json.loads(as_json.stdout.decode(encoding))[0]["name"] == HOSTILE


def test_a_full_disk_is_one_plain_line_and_says_what_was_started(
    server: Server, studio: Studio
) -> None:
    for kind, item in (("model", api.ModelMetadata), ("dataset", api.DatasetMetadata)):
        studio.kept[kind] = {"x": item(id="x", name="x")}
    studio.kept["prompt"] = {"x": api.PromptMetadata(id="x", name="x")}
    train = ("train", "--name", "a", "--model", "x", "--dataset", "x", "--prompt", "x")
    for command, said in (
        ((*train,), b"started fine-tuning job job-1"),
        ((*train, "--json"), b'"id": "job-2"'),
        (("models", "list"), b""),
        (("--version",), b""),
    ):
        with open("/dev/full", "wb") as full:
            if command == ("--version",):
                result = subprocess.run(
                    [sys.executable, "-m", "ft.cli", *command],
                    stdout=full,
                    stderr=subprocess.PIPE,
                )
            else:
                result = fts(server, *command, stdout=full)
        assert result.returncode == 1
        assert result.stderr.startswith(b"error: standard output cannot be written: No space left")
        assert said in b" ".join(result.stderr.split())
        assert not any(word.encode() in result.stderr for word in REFUSED)
    assert len(studio.kept["job"]) == 2


def test_nobody_reads_any_more(server: Server, studio: Studio) -> None:
    studio.kept["dataset"] = {
        str(n): api.DatasetMetadata(id=str(n), name="n" * 1000) for n in range(500)
    }
    reader, writer = os.pipe()
    os.close(reader)
    result = fts(server, "datasets", "list", stdout=writer)
    os.close(writer)
    assert (result.returncode, result.stderr) == (141, b"")


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("closed", [0, 1, 2])
def test_streams_that_are_closed_are_no_failure(
    server: Server, closed: int, tmp_path: Path
) -> None:
    command = (
        f"{sys.executable} -m ft.cli datasets list --server 127.0.0.1:{server.port} {closed}>&-"
    )
    result = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, b"")
    assert (b"owned" in result.stdout) == (closed != 1)


@pytest.mark.usefixtures("hostile")
def test_a_terminal_gets_no_commands_from_data(server: Server) -> None:
    master, slave = pty.openpty()
    result = fts(server, "jobs", "show", "j", stdout=slave, environment={"NO_COLOR": "1"})
    os.close(slave)
    shown = b""
    with suppress(OSError):  # EIO is the end of what a terminal has shown
        while part := os.read(master, 65536):
            shown += part
    os.close(master)
    assert result.returncode == 0
    assert b"\\x1b]0;owned" in shown
    assert b"\x1b]0" not in shown
    assert b"\x07" not in shown
