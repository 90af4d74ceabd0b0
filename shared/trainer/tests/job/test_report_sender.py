"""Events reach the studio, and never disturb the job."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import grpc
import pytest

from ft.api import GetModelRequest
from ft.client import StudioError
from ft.job_protocol.events import Finished, Progress, Started
from ft.job_protocol.reports import JobKind
from trainer.errors import ArgumentsError
from trainer.job import report_sender
from trainer.job.events import EventLog
from trainer.job.report_sender import ReportSender
from trainer.job.studio import Identity
from trainer.job.studio_client import StudioClient
from trainer.tests.studio import TOKEN, Studio, serve
from trainer.tests.support import Run, until

pytestmark = pytest.mark.slow

KEY = "the-key"


class Workspace:
    """A workspace whose project says what the test wants it to say."""

    def __init__(self) -> None:
        self.status = 200
        self.answer = b"{}"
        self.asked: list[tuple[str, str]] = []

    def says(self, address: str) -> None:
        ip, _, port = address.rpartition(":")
        where = {"FINE_TUNING_SERVICE_IP": ip, "FINE_TUNING_SERVICE_PORT": port}
        self.answer = json.dumps({"environment": json.dumps(where)}).encode()

    @contextmanager
    def serving(self) -> Iterator[dict[str, str]]:
        """The environment of runs in it."""
        workspace = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                workspace.asked.append((self.path, self.headers["Authorization"]))
                self.send_response(workspace.status)
                self.end_headers()
                self.wfile.write(workspace.answer)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield {
                "CDSW_API_URL": f"http://127.0.0.1:{server.server_port}/api/v1",
                "CDSW_PROJECT_ID": "p-1",
                "CDSW_APIV2_KEY": KEY,
            }
        finally:
            server.shutdown()
            server.server_close()


@pytest.fixture
def workspace() -> Workspace:
    return Workspace()


@pytest.fixture
def environment(workspace: Workspace) -> Iterator[dict[str, str]]:
    with workspace.serving() as environment:
        yield environment


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_sender, "CALL_SECONDS", 0.5)
    monkeypatch.setattr(report_sender, "LONGEST_PAUSE", 0.2)
    monkeypatch.setattr(report_sender, "FIRST_PAUSE", 0.05)


@contextmanager
def linked(
    folder: Path, environment: Mapping[str, str], token: str = TOKEN, kind: str = ""
) -> Iterator[tuple[ReportSender, EventLog]]:
    identity = Identity("job-1", token, kind)
    with ReportSender(folder / "events.jsonl", identity, environment) as sending:
        yield sending, EventLog(folder, written=sending.wake)


def at(address: str) -> dict[str, str]:
    ip, _, port = address.rpartition(":")
    return {"FINE_TUNING_SERVICE_IP": ip, "FINE_TUNING_SERVICE_PORT": port}


def test_file_is_delivered_once_completely(tmp_path: Path, studio: Studio) -> None:
    with linked(tmp_path, at(studio.address)) as (_, events):
        for step in range(50):
            events.write(Progress(step=step))
        until(lambda: studio.reported)
        events.notice("größer")
    assert studio.reported == events.path.read_bytes()


@pytest.mark.parametrize(("kind", "named"), [(JobKind.EVALUATION, "evaluation"), ("", None)])
def test_report_names_the_kind_of_a_job_that_knows_it(
    tmp_path: Path, studio: Studio, kind: str, named: str | None
) -> None:
    with linked(tmp_path, at(studio.address), kind=kind) as (_, events):
        events.write(Started())
        until(lambda: studio.reported)
    assert studio.kinds == {named}


def test_long_file_goes_in_parts(
    tmp_path: Path, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_sender, "MAX_REPORT_BYTES", 300)
    with linked(tmp_path, at(studio.address)) as (_, events):
        for step in range(50):
            events.write(Progress(step=step))
    assert studio.reported == events.path.read_bytes()


def test_studio_that_was_down_gets_what_it_missed(tmp_path: Path, away: str) -> None:
    studio = Studio()
    with linked(tmp_path, at(away)) as (_, events):
        events.write(Started())
        for step in range(100):
            events.write(Progress(step=step))
        with serve(studio, away):
            until(lambda: studio.reported == events.path.read_bytes())


def test_studio_says_from_which_offset_to_send(tmp_path: Path, studio: Studio) -> None:
    with linked(tmp_path, at(studio.address)) as (_, events):
        events.write(Started())
        until(lambda: studio.reported)
        studio.reported = b""  # it forgot
        events.write(Progress(step=1))
        until(lambda: studio.reported == events.path.read_bytes())


def test_studio_that_moved_is_found(
    tmp_path: Path, workspace: Workspace, environment: dict[str, str]
) -> None:
    studio = Studio()
    with ExitStack() as first:
        here = first.enter_context(serve(studio))
        with linked(tmp_path, {**environment, **at(here)}) as (_, events):
            events.write(Started())
            until(lambda: studio.reported)
            first.close()
            with serve(studio) as there:
                workspace.says(there)
                events.write(Progress(step=1))
                until(lambda: studio.reported == events.path.read_bytes())
    assert set(workspace.asked) == {("/api/v2/projects/p-1", f"Bearer {KEY}")}


def test_another_studio_at_the_old_address_is_left(
    tmp_path: Path, workspace: Workspace, environment: dict[str, str]
) -> None:
    class Another(Studio):
        def ReportJobEvents(self, request, context):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "not mine")

    studio = Studio()
    with serve(Another()) as here, serve(studio) as there:
        workspace.says(there)
        with linked(tmp_path, {**environment, **at(here)}) as (_, events):
            events.write(Started())
            until(lambda: studio.reported == events.path.read_bytes())


def test_wrong_token_is_tried_once(tmp_path: Path, studio: Studio) -> None:
    with linked(tmp_path, at(studio.address), "wrong") as (sending, events):
        events.write(Started())
        until(lambda: not sending._thread.is_alive())
        events.write(Progress(step=1))
    assert (studio.refused, studio.reported) == (1, b"")


@pytest.mark.parametrize(
    "answer",
    [b"", b"no json", b"[]", b'{"environment": 7}', b'{"environment": "[1]"}', b"\xff" * 100]
    + [json.dumps({"environment": json.dumps(at(bad))}).encode() for bad in (":", "x:0", "x:y")],
)
def test_invalid_answer_of_the_workspace_changes_nothing(
    tmp_path: Path, workspace: Workspace, environment: dict[str, str], away: str, answer: bytes
) -> None:
    workspace.answer = answer
    studio = Studio()
    with linked(tmp_path, {**environment, **at(away)}) as (_, events):
        events.write(Started())
        until(lambda: len(workspace.asked) > 1)
        with serve(studio, away):
            until(lambda: studio.reported == events.path.read_bytes())


def test_job_that_ends_while_the_studio_is_down_waits_for_seconds(
    tmp_path: Path, away: str
) -> None:
    with linked(tmp_path, at(away)) as (sending, events):
        events.write(Finished())
        sending.stop(0.5)  # returns, though nothing is delivered
        until(lambda: not sending._thread.is_alive())


def test_missing_address_costs_the_job_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FINE_TUNING_SERVICE_IP", raising=False)
    with linked(tmp_path, {}) as (sending, events):
        events.write(Started())
        until(lambda: not sending._thread.is_alive())


def test_job_that_starts_while_the_studio_moves_waits_for_it(
    workspace: Workspace, environment: dict[str, str], away: str
) -> None:
    with serve(Studio()) as there, StudioClient({**environment, **at(away)}) as found:
        Thread(target=lambda: (until(lambda: workspace.asked), workspace.says(there))).start()
        assert found.GetModel(GetModelRequest(id="model")).model.name == "starter"


def test_studio_that_stays_down_is_given_up(away: str) -> None:
    with StudioClient(at(away), patience=0.1) as found, pytest.raises(StudioError):
        found.GetModel(GetModelRequest(id="model"))


def test_refusal_is_an_answer(studio: Studio) -> None:
    with StudioClient(at(studio.address)) as found, pytest.raises(StudioError, match="not known"):
        found.GetModel(GetModelRequest(id="other"))


def test_job_delivers_all_that_it_writes(
    run_job: Callable[..., Run], fine_tune_flags: Callable[..., str], studio: Studio
) -> None:
    link_of_the_job = {
        "FTS_JOB_ID": "job-1",
        "FTS_JOB_TOKEN": TOKEN,
        "FTS_JOB_KIND": "fine_tuning",
    }
    script = "accel_fine_tune.py"
    run = run_job(script, fine_tune_flags(), "outputs/job-1", **link_of_the_job)
    assert run.status == 0, run.output
    assert studio.reported == (run.folder / "events.jsonl").read_bytes()
    assert studio.kinds == {"fine_tuning"}
    assert TOKEN not in run.log


def test_job_without_an_address_names_the_remedy() -> None:
    with pytest.raises(ArgumentsError, match=r"FINE_TUNING_SERVICE_IP.*fts up"):
        StudioClient({})
