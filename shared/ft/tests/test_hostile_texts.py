"""Nothing that a studio answers commands the terminal of who asks: every command is tried."""

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ft import api
from ft.cli.app import app
from ft.local.served import ServedModelsClient
from ft.tests.conftest import Server
from ft.tests.studio import Studio

PIECES = (
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]8;;http://example.org\x1b\\",
    "\x9b31m",
    "\r",
    "\b",
    "\x7f",
    "\x00",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u2028",
    "\ufeff",
    "\U000e0041",
    "[red]",
    "[/]",
    "[link=http://example.org]",
    ":warning:",
    "{a}",
    "$x_1$",
    "日本",
    "e\u0301",
    "plain",
)
TEXTS = st.lists(st.sampled_from(PIECES) | st.characters(codec="utf-8"), max_size=6).map("".join)

# Of each command, arguments that make it print what the studio tells of "x".
READS = {
    "health": (),
    "logs": ("x",),
    "cancel": ("x",),
    "resume": ("x",),
    "train": ("--name", "n", "--model", "x", "--dataset", "x", "--prompt", "x"),
    "evaluate": ("--model", "x", "--dataset", "x", "--prompt", "x"),
    "export": ("x", "--name", "n"),
    "eval start": ("--model", "x", "--dataset", "x", "--prompt", "x"),
    "eval show": ("e",),
    "eval compare": ("e",),
    "jobs list": (),
    "jobs show": ("x",),
    "jobs watch": ("x",),
    "jobs events": ("x",),
    "jobs diff": ("x", "y"),
    "jobs remove": ("x",),
    "datasets list": (),
    "datasets show": ("x",),
    "datasets add": ("--name", "n", "--location", "l"),
    "datasets remove": ("x",),
    "models list": (),
    "models show": ("x",),
    "models add": ("--name", "n", "--location", "l"),
    "models remove": ("x",),
    "adapters list": (),
    "adapters show": ("x",),
    "adapters add": ("--name", "n", "--model", "x", "--location", "l"),
    "adapters remove": ("x",),
    "prompts list": (),
    "prompts show": ("x",),
    "prompts add": (
        *("--name", "n", "--dataset", "x", "--prompt-template", "t"),
        *("--input-template", "t", "--completion-template", "t"),
    ),
    "prompts remove": ("x",),
    "configs list": (),
    "configs show": ("x",),
    "configs add": ("--type", "custom", "--config", "{}"),
    "configs remove": ("x",),
    "db export": (),
    "db import": ("file.json",),
}
LOCAL = {
    *("up", "down", "status", "demo", "serve", "ask", "db import-sqlite"),
    *("served list", "served stop", "served restart", "served remove", "served logs"),
}
"""Commands that ask no studio, or more than one; what they print goes the same way."""


def _commands(group: Any, within: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{within}{name} ")
        else:
            yield f"{within}{name}"


def test_commands_are_all_covered() -> None:
    assert set(_commands(typer.main.get_command(app))) == READS.keys() | LOCAL


class Hostile(Studio):
    """A studio in which every text is the same one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.log = f"{text}\n{text}".encode() + b"\xff\xfe"
        status = {"state": f"FAILED{text}", "failure_reason": text, "notices": [text]}
        self.statuses = [api.JobStatus(**{**status, "state": "FAILED"})]
        add = self._add
        add("dataset", api.DatasetMetadata, name="x", location=text, features=text, type=text)
        add("model", api.ModelMetadata, name=text, location=text, type=text)
        add("adapter", api.AdapterMetadata, name=text, location=text, model_id="x")
        add("prompt", api.PromptMetadata, name=text, prompt_template=text, dataset_id=text)
        add("config", api.ConfigMetadata, type=text, config=text, description=text)
        for id, manifest in (("x", {text + "k": text}), ("y", {text + "k": text + "y"})):
            add("job", api.FineTuningJobMetadata, id=id, adapter_name=text, out_dir=text)
            self.kept["job"][id].manifest = json.dumps(manifest)
        scores = {"exact_match": 0.5, text: 0.5}
        for id in ("e", "f"):
            add("evaluation", api.EvaluationJobMetadata, id=id, parent_job_id="p", metrics=scores)
            row = api.EvaluationRow(input=text, expected=text, output=text + id)
            row.scores["exact_match"] = float(id == "e")
            self.results[id] = [row]

    def _add(self, kind: str, message: Any, id: str = "x", **fields: Any) -> None:
        self._keep(kind, message(id=id, **fields))

    def ListJobEvents(self, request: Any, context: Any) -> Any:
        event = api.JobEvent(cursor=1, time=self.text, kind=self.text, cause=self.text)
        return api.ListJobEventsResponse(events=[] if request.cursor else [event])

    def CancelFineTuningJob(self, request: Any, context: Any) -> Any:
        return api.CancelFineTuningJobResponse(fine_tuning_job=self._get("job", request, context))

    def ResumeFineTuningJob(self, request: Any, context: Any) -> Any:
        return api.ResumeFineTuningJobResponse(fine_tuning_job=self._get("job", request, context))

    def ExportDatabase(self, request: Any, context: Any) -> Any:
        content = json.dumps({self.text: self.text}, ensure_ascii=False)
        return api.ExportDatabaseResponse(exported_json=content)

    def ImportDatabase(self, request: Any, context: Any) -> Any:
        table = api.ImportedTable(table=self.text)
        table.refused.add(id=self.text, place=self.text, reason=self.text, rule=self.text)
        return api.ImportDatabaseResponse(tables=[table])


@pytest.fixture(scope="module")
def hostile_server() -> Iterator[Server]:
    running = Server(Hostile("x"))  # type: ignore[abstract]  # what no test calls is left out
    yield running
    running.stop()


def _run(server: Server, home: Path, *arguments: str) -> Any:
    where = ("--server", f"127.0.0.1:{server.port}", "--home", str(home))
    return CliRunner().invoke(app, [*arguments, *where], catch_exceptions=False)


def _harmless(shown: str) -> bool:
    return not [
        one
        for one in shown
        if one not in "\n\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2"
        and unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp")
        and ord(one) not in (0x0890, 0x0891, 0x110BD, 0x110CD)
    ]


@pytest.mark.parametrize("command", READS)
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=TEXTS)
def test_commands_print_no_control_characters(
    hostile_server: Server, tmp_path: Path, command: str, text: str
) -> None:
    for options in ((), ("--json",)):
        hostile_server.studio.__dict__.update(Hostile(text).__dict__)  # type: ignore[abstract]
        ran = _run(hostile_server, tmp_path, *command.split(), *READS[command], *options)
        assert _harmless(ran.stdout.replace("\t", "")), ascii(ran.stdout)
        assert _harmless(ran.stderr.replace("\t", "")), ascii(ran.stderr)
        if options and ran.stdout and command not in ("logs",):
            json.loads(ran.stdout)


def test_refusals_print_no_control_characters(hostile_server: Server, tmp_path: Path) -> None:
    def refuse(method: str, context: Any) -> None:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "".join(PIECES))

    hostile_server.studio.__dict__.update(Hostile("x").__dict__)  # type: ignore[abstract]
    hostile_server.studio.before = refuse
    ran = _run(hostile_server, tmp_path, "models", "list")
    assert _harmless(ran.stderr), ascii(ran.stderr)
    assert "\\x1b[2J" in ran.stderr
    assert "[red][/][link=http://example.org]:warning:" in ran.stderr


@pytest.mark.parametrize("arguments", [("models", "show"), ("models", "show", "--"), ()])
def test_arguments_print_no_control_characters(
    hostile_server: Server, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ran = CliRunner().invoke(app, [*arguments, "".join(PIECES), "--\x1b[2J"])
    assert ran.exit_code
    assert _harmless(ran.output), ascii(ran.output)


def test_markup_in_a_title_is_text(hostile_server: Server, tmp_path: Path) -> None:
    hostile_server.studio.__dict__.update(Hostile("[red]:warning:").__dict__)  # type: ignore[abstract]
    for job in hostile_server.studio.kept["evaluation"].values():
        job.base_model_id = "x"
    shown = _run(hostile_server, tmp_path, "eval", "compare", "e").stdout
    assert shown.count("[red]:warning:") > 5


def test_raw_log_is_printed_on_request_alone(hostile_server: Server, tmp_path: Path) -> None:
    studio = Hostile("\x1b[2J")  # type: ignore[abstract]
    hostile_server.studio.__dict__.update(studio.__dict__)
    assert _run(hostile_server, tmp_path, "logs", "x", "--raw").stdout_bytes == studio.log
    assert _run(hostile_server, tmp_path, "logs", "x").stdout == "\\x1b[2J\n\\x1b[2J\\xff\\xfe"


def test_log_of_a_served_model_prints_no_control_characters(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ServedModelsClient, "__init__", lambda self, home: None)
    monkeypatch.setattr(ServedModelsClient, "find", lambda self, reference: None)
    monkeypatch.setattr(ServedModelsClient, "log", lambda self, model: b"1%\r2%\n\x1b[2J\xff\n")
    ran = CliRunner().invoke(app, ["served", "logs", "x", "--home", str(tmp_path)])
    assert ran.stdout == "2%\n\\x1b[2J\\xff\n"


def test_wide_characters_and_escapes_keep_columns_in_line(
    hostile_server: Server, tmp_path: Path
) -> None:
    studio = Hostile("x")  # type: ignore[abstract]
    studio.kept["model"] = {
        str(number): api.ModelMetadata(id=str(number), name=name, type="T", location="L")
        for number, name in enumerate(("日本語", "e\u0301e\u0301", "a\x1b[2Jb", "\u202ea", "x"))
    }
    hostile_server.studio.__dict__.update(studio.__dict__)
    from rich.cells import cell_len

    head, *lines = _run(hostile_server, tmp_path, "models", "list").stdout.splitlines()
    places = [cell_len(line[: line.rindex("T")]) for line in lines]
    assert places == [head.index("TYPE")] * 5
