"""The command against a real server: what it prints, and with which status it exits."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from typer.testing import CliRunner, Result

from ft import api
from ft.cli.app import app
from ft.cli.exits import Exit
from ft.tests.conftest import Fts


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_names_are_neither_markup_nor_control_characters(fts: Fts) -> None:
    added = fts("models", "add", "--location", "starter/model", "--name", r"\[/b] [red]" "\x1b[2J")
    table = fts("models", "list").stdout
    assert r"\[/b] [red]\x1b[2J" in table
    assert r"\[/b] [red]\x1b[2J" in added.stdout


def test_lists_are_tables_or_json_with_contract_names(fts: Fts) -> None:
    assert "no models yet" in fts("models", "list").stdout
    assert _json(fts("models", "list", "--json")) == []
    fts("models", "add", "--location", "starter/model", "--name", "starter [1]")
    table = fts("models", "list").stdout
    assert table.split()[:4] == ["ID", "NAME", "TYPE", "LOCATION"]
    assert "starter [1]" in table
    (model,) = _json(fts("models", "list", "--json"))
    assert model["cml_registered_model_id"] == ""
    assert (model["type"], model["name"], model["location"]) == (
        "project",
        "starter [1]",
        "starter/model",
    )


@pytest.mark.parametrize("kind", ["datasets", "models", "adapters", "prompts", "configs"])
def test_filter_and_order_are_sent_to_the_studio(fts: Fts, studio: Any, kind: str) -> None:
    options = ("--filter", "type=project", "--filter", "name=a=b", "--sort", "name desc")
    assert f"no {kind} match the filter" in fts(kind, "list", *options).stdout
    asked = studio.requests[-1]
    assert dict(asked.filter) == {"type": "project", "name": "a=b"}
    assert asked.order_by == "name desc"


def test_jobs_are_filtered_by_common_fields(fts: Fts, studio: Any) -> None:
    assert "no jobs match the filter" in fts("jobs", "list", "--filter", "state=RUNNING").stdout
    filters = [dict(request.filter) for request in studio.requests[-3:]]
    assert filters == [{"state": "RUNNING"}] * 3
    # Which export jobs do not have.
    assert "no jobs match the filter" in fts("jobs", "list", "--filter", "dataset_id=d").stdout
    assert studio.calls["ListExportJobs"] == 1
    assert "no jobs yet" in fts("jobs").stdout
    assert not studio.requests[-1].filter


def test_roles_are_sent_to_the_studio(fts: Fts, studio: Any) -> None:
    words = ("datasets", "add", "--name", "d", "--location", "a.jsonl", "--roles")
    assert fts(*words, " human = user, gpt=assistant,").exit_code == 0
    assert dict(studio.requests[-1].roles) == {"human": "user", "gpt": "assistant"}
    for wrong, said in (
        ("human", "--roles: 'human' is not ROLE=ROLE"),
        ("human=", "is not ROLE=ROLE"),
        ("=user", "is not ROLE=ROLE"),
        ("a=user,a=tool", "--roles: 'a' is given twice"),
    ):
        refused = fts(*words, wrong)
        assert refused.exit_code == Exit.USAGE
        assert said in refused.stderr


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("a.csv", "project_csv"),
        ("a.json", "project_json"),
        ("a.jsonl", "project_jsonl"),
        ("a.TSV", "project_csv"),
        ("a.csv.gz", "project_csv"),
        ("a.JSONL.GZ", "project_jsonl"),
        ("a.parquet", "project"),
        ("folder", "project"),
    ],
)
def test_dataset_type_follows_from_its_location(fts: Fts, location: str, kind: str) -> None:
    added = _json(fts("datasets", "add", "--name", "d", "--location", location, "--json"))
    assert added["type"] == kind


def test_reading_of_a_file_is_reported(fts: Fts) -> None:
    added = fts("datasets", "add", "--name", "d", "--location", "t.csv")
    assert "note: Its cells are separated by tabs." in added.stderr
    assert _json(fts("datasets", "add", "--name", "e", "--location", "t.csv", "--json"))


def test_records_are_found_by_id_and_by_name(fts: Fts, studio: Any) -> None:
    added = _json(fts("datasets", "add", "--name", "d", "--location", "a.csv", "--json"))
    for reference in ("d", added["id"]):
        assert _json(fts("datasets", "show", reference, "--json")) == added
    fts("datasets", "add", "--name", "d", "--location", "b.csv")
    twice = fts("datasets", "show", "d")
    assert twice.exit_code == Exit.REFUSED
    assert "several datasets; give the id of one: dataset-1, dataset-2" in twice.stderr
    assert fts("datasets", "remove", "dataset-1", "--prompts").exit_code == 0
    assert api.RemoveDatasetRequest(id="dataset-1", remove_prompts=True) in studio.requests


def test_prompt_templates_may_come_from_files(fts: Fts, tmp_path: Path) -> None:
    fts("datasets", "add", "--name", "d", "--location", "a.csv")
    template = tmp_path / "template.txt"
    template.write_text("### IN: {a}\n### OUT: {b}")
    prompt = _json(
        fts(
            *("prompts", "add", "--name", "p", "--dataset", "d", "--json"),
            *("--prompt-template", f"@{template}"),
            *("--input-template", "### IN: {a}\n### OUT:"),
            *("--completion-template", " {b}"),
        )
    )
    assert prompt["prompt_template"] == "### IN: {a}\n### OUT: {b}"
    assert prompt["dataset_id"] == "dataset-1"
    assert prompt["id"]


@pytest.mark.usefixtures("registered")
def test_train_sends_given_options_and_leaves_the_rest_unset(fts: Fts, studio: Any) -> None:
    started = fts(*TRAIN, "--epochs", "3", "--lora-config", '{"r": 8}')
    assert started.exit_code == 0
    assert "started fine-tuning job job-1 (new)" in started.stdout
    sent = studio.requests[-1]
    assert (sent.base_model_id, sent.dataset_id) == ("model-1", "dataset-1")
    assert (sent.num_epochs, sent.lora_config, sent.auto_add_adapter) == (3, '{"r": 8}', True)
    for name in ("learning_rate", "num_workers", "train_test_split", "gpu_label_id", "retry"):
        assert not sent.HasField(name)
    assert fts(*TRAIN, "--retries", "2").exit_code == 0
    assert studio.requests[-1].retry == api.RetryPolicy(max_attempts=3)


@pytest.mark.usefixtures("registered")
def test_watch_shows_progress_loss_and_time_left(fts: Fts, studio: Any) -> None:
    studio.statuses = [
        api.JobStatus(state="QUEUED"),
        api.JobStatus(state="RUNNING", step=5, total_steps=10, loss=1.25, seconds_left=61),
        api.JobStatus(state="SUCCEEDED", step=10, total_steps=10, loss=0.5),
    ]
    watched = fts(*TRAIN, "--watch")
    assert watched.exit_code == 0
    assert "new  RUNNING  5/10  loss 1.250  1:01 left" in watched.stdout
    assert "new  SUCCEEDED  10/10  loss 0.500" in watched.stdout


@pytest.mark.usefixtures("registered")
def test_failed_job_shows_its_reason_and_log_with_status_1(fts: Fts, studio: Any) -> None:
    studio.statuses = [api.JobStatus(state="FAILED", failure_reason="column 'x' is missing")]
    failed = fts(*TRAIN, "--watch")
    assert failed.exit_code == Exit.FAILED
    assert "new FAILED: column 'x' is missing" in failed.stderr
    assert "line two" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.usefixtures("registered")
def test_jobs_command_lists_all_kinds(fts: Fts) -> None:
    fts(*TRAIN)
    evaluated = _json(
        fts(
            "evaluate",
            *("--model", "m", "--dataset", "d", "--prompt", "p", "--adapter", "new"),
            "--json",
        )
    )
    assert [job["adapter_id"] for job in evaluated] == ["", "adapter-1"]
    jobs = _json(fts("jobs", "--json"))
    assert [job["kind"] for job in jobs] == ["fine-tuning", "evaluation", "evaluation"]
    assert _json(fts("jobs", "list", "--json")) == jobs
    assert "evaluation" in fts("jobs").stdout
    assert _json(fts("jobs", "show", "evaluation-1", "--json"))["rows"] == 10
    assert fts("jobs", "remove", "job-1").exit_code == 0
    assert "job-1" not in fts("jobs").stdout


@pytest.mark.usefixtures("registered")
def test_export_is_a_job_like_the_others(fts: Fts, studio: Any) -> None:
    fts(*TRAIN)
    done = fts("export", "new", "--name", "tuned", "--type", "merged", "--memory", "4", "--watch")
    assert done.exit_code == 0, done.stderr
    assert "started export job export-1 (tuned)" in done.stdout
    assert "tuned: model exported" in done.stdout
    [request] = [one for one in studio.requests if isinstance(one, api.ExportModelRequest)]
    assert (request.type, request.base_model_id) == ("merged", "model-1")
    assert (request.adapter_id, request.memory) == ("adapter-1", 4)
    # What is not said is chosen by the command: 2 CPUs where the studio does not say what is there.
    assert request.cpu == 2
    assert [job["kind"] for job in _json(fts("jobs", "--json"))] == ["fine-tuning", "export"]
    assert _json(fts("jobs", "show", "export-1", "--json"))["model_name"] == "tuned"
    ended = fts("cancel", "export-1")
    assert "export-1 has already ended (SUCCEEDED); nothing was cancelled" in ended.stdout
    assert (ended.exit_code, studio.calls["CancelExportJob"]) == (0, 0)
    studio.statuses = [api.JobStatus(state=api.JobState.RUNNING)]
    assert "export-1 is STOPPING" in fts("cancel", "export-1").stdout
    assert fts("resume", "export-1").exit_code == Exit.REFUSED
    assert fts("jobs", "remove", "export-1").exit_code == 0
    assert studio.kept["export"] == {}


@pytest.mark.usefixtures("registered")
def test_logs_are_the_bytes_of_the_job(fts: Fts, studio: Any) -> None:
    fts(*TRAIN)
    assert fts("logs", "job-1").stdout_bytes == studio.log
    assert fts("logs", "nope").exit_code == Exit.NOT_FOUND


@pytest.mark.usefixtures("registered")
def test_followed_log_survives_a_restart_of_the_studio(fts: Fts, studio: Any) -> None:
    fts(*TRAIN)
    tail = type(studio).TailLogs

    def breaks_once(request: Any, context: grpc.ServicerContext) -> Any:
        parts = tail(studio, request, context)
        yield next(parts)
        if request.offset == 0:
            context.abort(grpc.StatusCode.UNAVAILABLE, "going down")
        yield from parts

    studio.TailLogs = breaks_once
    assert fts("logs", "job-1", "-f").stdout_bytes == studio.log
    assert studio.calls["TailLogs"] == 2


def test_database_is_exported_and_imported(fts: Fts, studio: Any, tmp_path: Path) -> None:
    assert _json(fts("db", "export")) == {"models": {"data": []}}
    file = tmp_path / "studio.json"
    assert fts("db", "export", str(file)).exit_code == 0
    assert json.loads(file.read_text()) == {"models": {"data": []}}
    assert fts("db", "import", "studio.json").exit_code == 0
    assert studio.requests[-1].imported_json_path == "studio.json"


def test_health_is_shown(fts: Fts, server: Any) -> None:
    assert _json(fts("health", "--json"))["studio"] == "SERVING"
    server.health.set("fine_tuning_studio.FineTuningStudio", 2)
    sick = fts("health")
    assert sick.exit_code == Exit.FAILED
    assert "NOT_SERVING" in sick.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("models", "show", "x"), Exit.NOT_FOUND, "no model has the id or name 'x'"),
        (("jobs", "show", "x"), Exit.NOT_FOUND, "no job has the id 'x'"),
        (("datasets", "add"), Exit.REFUSED, "location: is required and must not be blank; name"),
        (
            ("configs", "add", "--type", "custom", "--config", "@/none"),
            Exit.USAGE,
            "/none: No such",
        ),
        (("train",), Exit.USAGE, "--name"),
        (("datasets", "add", "--type", "table"), Exit.USAGE, "'table'"),
        (("models", "list", "--filter", "name"), Exit.USAGE, "'name' is not FIELD=VALUE"),
        (("jobs", "list", "--filter", "=x"), Exit.USAGE, "'=x' is not FIELD=VALUE"),
        (
            ("models", "list", "--filter", "name=a", "--filter", "name=b"),
            Exit.USAGE,
            "'name' is given twice",
        ),
    ],
)
def test_refusals_have_statuses_and_messages(
    fts: Fts, arguments: tuple[str, ...], status: Exit, said: str
) -> None:
    result = fts(*arguments)
    assert result.exit_code == status
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (grpc.StatusCode.ALREADY_EXISTS, Exit.REFUSED),
        (grpc.StatusCode.FAILED_PRECONDITION, Exit.REFUSED),
        (grpc.StatusCode.DEADLINE_EXCEEDED, Exit.UNAVAILABLE),
        (grpc.StatusCode.INTERNAL, Exit.FAULT),
    ],
)
def test_exit_status_follows_the_code(
    fts: Fts, studio: Any, code: grpc.StatusCode, status: Exit
) -> None:
    studio.before = lambda method, context: context.abort(code, "no")
    assert fts("models", "add", "--name", "m").exit_code == status


def test_unreachable_studio_is_reported(closed_port: int) -> None:
    result = CliRunner().invoke(app, ["health", "--server", f"127.0.0.1:{closed_port}"])
    assert result.exit_code == Exit.UNAVAILABLE
    assert f"no studio answers at 127.0.0.1:{closed_port}" in result.stderr


@pytest.mark.parametrize("server", ["nowhere", ":1", "host:", "host:port"])
def test_malformed_address_is_wrong_usage(server: str) -> None:
    assert CliRunner().invoke(app, ["models", "list", "--server", server]).exit_code == Exit.USAGE


def test_missing_studio_is_reported(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["models", "list", "--home", str(tmp_path)])
    assert result.exit_code == Exit.UNAVAILABLE
    assert "`fts up`" in result.stderr


def test_address_comes_from_the_environment(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINE_TUNING_SERVICE_IP", "127.0.0.1")
    monkeypatch.setenv("FINE_TUNING_SERVICE_PORT", str(server.port))
    assert CliRunner().invoke(app, ["models", "list"]).exit_code == 0


@pytest.mark.starts_processes
@pytest.mark.usefixtures("registered")
def test_interrupted_watch_leaves_the_job_running(fts: Fts, server: Any, studio: Any) -> None:
    studio.statuses = [api.JobStatus(state="RUNNING", step=1, total_steps=10)]
    command = [sys.executable, "-c", INTERRUPTIBLE, *TRAIN, "--watch"]
    command += ["--server", f"127.0.0.1:{server.port}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        deadline = time.monotonic() + 60
        while not studio.calls["GetFineTuningJob"]:
            assert watching.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=60)
    assert watching.returncode == Exit.INTERRUPTED
    assert "the job continues" in said
    assert "Traceback" not in said
    assert not studio.calls["RemoveFineTuningJob"]


def test_cancelled_job_says_who_cancelled_it_and_why(
    fts: Fts, studio: Any, registered: None
) -> None:
    fts(*TRAIN)
    reason = "stopped by a user: wrong data"
    studio.statuses = [api.JobStatus(state=api.JobState.STOPPED, failure_reason=reason)]
    watched = fts("jobs", "watch", "job-1")
    assert watched.exit_code == Exit.FAILED
    assert f"new STOPPED: {reason}" in watched.stderr
    assert reason in fts("jobs", "show", "job-1").stdout
    assert (
        "job-1 has already ended (STOPPED); nothing was cancelled" in fts("cancel", "job-1").stdout
    )


@pytest.mark.parametrize(
    ("command", "texts"),
    [
        (
            ("train",),
            [
                "Default: that of the config, or else 1.",
                "Default: that of the config, or else 0.0002.",
                "Share of the rows to train on. Default: 0.9.",
                "Number of worker processes. Default: 1.",
                "`adapters` in the project directory",
                "merge into the shipped config",
            ],
        ),
        (("train",), ["--user-config", "Settings for --user-script"]),
        (("eval", "start"), ["Default: 0.1.", "merge into the shipped config"]),
        (("serve",), ["Default: no sampling."]),
        (("prompts", "remove"), ["Remove one prompt."]),
        (("configs", "remove"), ["Jobs keep their copies."]),
        (("models", "remove"), ["Its files stay."]),
    ],
)
def test_help_names_the_defaults(command: tuple[str, ...], texts: list[str]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"}).stdout
    words = " ".join(shown.replace("│", " ").split())
    for text in texts:
        assert text in words
    if command[0] in ("prompts", "configs"):
        assert "files" not in words


# Where the tests run in the background, the shell has them ignore the signal. Undone in the child
# itself: code between fork and exec crashes beside the threads of a gRPC server.
INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from ft.cli import main
main()
"""
TRAIN = ("train", "--name", "new", "--model", "m", "--dataset", "d", "--prompt", "p")
