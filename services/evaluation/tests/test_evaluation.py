"""The evaluation service with its real peers and jobs that really run, in a real workbench."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from chassis.rpc import errors
from chassis.rpc.peers import PeerRefusal
from chassis.testing.services import exported_rows, put_rows, services
from ft.proto.fine_tuning_studio_jobs_pb2 import (
    EvaluationRow,
    StreamEvaluationRowsRequest,
    StreamEvaluationRowsResponse,
    TailLogsRequest,
    TailLogsResponse,
)
from ft.proto.fine_tuning_studio_pb2 import EvaluationJobMetadata
from ft.proto.fine_tuning_studio_types_pb2 import RetryPolicy
from jobs.testing import WorkbenchProcess, until
from services.evaluation.tests.studio import (
    EVALUATES,
    GARBAGE,
    LEAVES_A_TABLE,
    PEERS,
    SCRIPT,
    WAITS,
    Studio,
    content,
)


@pytest.fixture
async def studio(tmp_path: Path, workspace: WorkbenchProcess) -> AsyncIterator[Studio]:
    async with services(tmp_path, *PEERS, "evaluation"):
        studio = Studio(tmp_path, workspace)
        await studio.fill()
        yield studio
        await studio.close()


async def test_start_makes_a_job_for_each_combination(studio: Studio) -> None:
    studio.program(EVALUATES)
    response = await studio.start(
        ("m", ""),
        ("m", "a"),
        ("m", "a-2"),
        generation_config='{"top_k": 5}',
        selected_features=["a column"],
        eval_dataset_fraction=0.5,
    )
    jobs = list(response.evaluation_jobs)
    assert [job.adapter_id for job in jobs] == ["", "a", "a-2"]
    assert response.evaluation_job == jobs[-1]
    [parent] = {job.parent_job_id for job in jobs}
    for number, job in enumerate(jobs, start=1):
        ended = await studio.reach(job.id, "SUCCEEDED", "FAILED")
        assert (ended.status.state, ended.status.failure_reason) == ("SUCCEEDED", "")
        flags = json.loads((studio.folder(job.id) / "flags.json").read_text())
        assert (flags.pop("--job_id"), flags.pop("--run_number")) == (parent, str(number))
        _say_what_to_evaluate(flags, job)
    assert {job.id for job in await studio.listed()} == {job.id for job in jobs}


def _say_what_to_evaluate(flags: dict[str, str], job: EvaluationJobMetadata) -> None:
    assert json.loads(flags.pop("--generation_config")) == {"top_k": 5}
    assert json.loads(flags.pop("--selected_features")) == ["a column"]
    assert flags.pop("--adapter_id", "") == job.adapter_id
    assert flags == {
        "--base_model_id": "m",
        "--dataset_id": "d",
        "--prompt_id": "p",
        "--result_dir": f"mlflow_results/{job.id}",
        "--eval_dataset_fraction": "0.5",
        "--comparison_adapter_id": "a",
    }


async def test_job_report_is_in_the_record(studio: Studio) -> None:
    studio.program(EVALUATES)
    [started] = (await studio.start()).evaluation_jobs
    assert (started.status.state, started.evaluation_dir) == (
        "SCHEDULED",
        f"mlflow_results/{started.id}",
    )
    job = await studio.reach(started.id, "SUCCEEDED", "FAILED")
    assert (job.status.step, job.status.total_steps, job.rows) == (4, 4, 4)
    # What is no number is no score.
    assert dict(job.metrics) == {"exact_match": 0.75}
    assert [(s.input, s.expected, s.output) for s in job.samples] == [
        ("i", "e", "o"),
        ("i-2", "e", "3"),
    ]
    assert json.loads(job.generation_config)["max_new_tokens"] == 60
    assert (job.num_cpu, job.num_gpu, job.num_memory) == (1, 0, 1)


async def test_invalid_report_leaves_a_readable_record(studio: Studio) -> None:
    studio.program(GARBAGE)
    [started] = (await studio.start()).evaluation_jobs
    job = await studio.reach(started.id, "SUCCEEDED", "FAILED")
    assert (job.status.state, dict(job.metrics), job.rows) == ("SUCCEEDED", {}, 0)
    assert await studio.listed() == [job]


async def test_job_log_is_returned(studio: Studio) -> None:
    studio.program(EVALUATES)
    [job] = (await studio.start()).evaluation_jobs
    request = TailLogsRequest(job_id=job.id, follow=True).SerializeToString()
    answers = studio.jobs.channel.stream("TailLogs", request)
    log = b"".join([TailLogsResponse.FromString(answer).data async for answer in answers])
    assert log == b"token: none\n"


async def test_log_of_an_imported_job_lies_within_the_project(
    studio: Studio, tmp_path: Path
) -> None:
    (tmp_path / "job.log").write_text("not the project's")
    # A location that names the way out is refused; a link in the project may lead there too.
    (studio.workbench.project / "way-out").symlink_to(tmp_path)
    row = {"id": "imported", "evaluation_dir": "way-out"}
    await put_rows(studio.home, "evaluation", row)
    request = TailLogsRequest(job_id="imported").SerializeToString()
    with pytest.raises(PeerRefusal, match="outside the project directory"):
        [answer async for answer in studio.jobs.channel.stream("TailLogs", request)]


async def test_crashed_job_is_retried(studio: Studio) -> None:
    script = SCRIPT.replace("parents=True", "parents=True, exist_ok=True")
    crashes = 'if "FTS_ATTEMPT" not in os.environ: os.abort()'
    studio.program(crashes, script)
    policy = RetryPolicy(max_attempts=2, on=["CRASHED"])
    first, second = (await studio.start(("m", ""), ("m", "a"), retry=policy)).evaluation_jobs
    assert first.status.retry == policy
    for job in (first, second):
        ended = await studio.reach(job.id, "SUCCEEDED", "FAILED")
        assert (ended.status.state, ended.status.attempt) == ("SUCCEEDED", 2)


async def rows_of(studio: Studio, id: str, offset: int = 0) -> list[EvaluationRow]:
    request = StreamEvaluationRowsRequest(job_id=id, offset=offset).SerializeToString()
    stream = studio.jobs.channel.stream("StreamEvaluationRows", request)
    answers = [StreamEvaluationRowsResponse.FromString(answer) async for answer in stream]
    return [row for answer in answers for row in answer.rows]


async def test_job_rows_are_returned(studio: Studio) -> None:
    studio.program(LEAVES_A_TABLE)
    [started] = (await studio.start()).evaluation_jobs
    await studio.reach(started.id, "SUCCEEDED")
    assert [(row.input, row.scores["rougeL"]) for row in await rows_of(studio, started.id)] == [
        ("i", 0.5),
        ("i-2", 1),
    ]
    assert [row.number for row in await rows_of(studio, started.id, offset=1)] == [1]
    with pytest.raises(PeerRefusal, match="evaluation job 'nope' does not exist"):
        await rows_of(studio, "nope")


async def test_rows_without_a_table_or_outside_the_project_are_refused(
    studio: Studio, tmp_path: Path
) -> None:
    (tmp_path / "result_evaluation.csv").write_text("not the project's")
    (studio.workbench.project / "elsewhere").symlink_to(tmp_path)
    rows = [{"id": "out", "evaluation_dir": "elsewhere"}, {"id": "none", "evaluation_dir": "x"}]
    await put_rows(studio.home, "evaluation", *rows)
    with pytest.raises(PeerRefusal, match="outside the project directory"):
        await rows_of(studio, "out")
    with pytest.raises(PeerRefusal, match="has no table of results"):
        await rows_of(studio, "none")


async def test_remove_of_a_running_job_ends_its_process_and_no_other(studio: Studio) -> None:
    studio.program(WAITS)
    first, second = (await studio.start(("m", ""), ("m", "a"))).evaluation_jobs
    files = [studio.folder(job.id) / "pid" for job in (first, second)]
    pids = [
        int(await until("it runs", lambda file=file: file.exists() and file.read_text()))
        for file in files
    ]
    await studio.remove(first.id)
    await until("its process is gone", lambda: not psutil.pid_exists(pids[0]))
    assert psutil.pid_exists(pids[1])
    assert [job.id for job in await studio.listed()] == [second.id]
    await studio.remove(first.id)


@pytest.mark.parametrize(
    ("combinations", "fields", "named"),
    [
        ((("nope", ""),), {}, "model_adapter_combinations[0].base_model_id"),
        ((("m", ""), ("m", "nope")), {}, "model_adapter_combinations[1].adapter_id"),
        ((), {"dataset_id": "nope"}, "dataset_id"),
        ((), {"prompt_id": "nope"}, "prompt_id"),
        ((), {"comparison_adapter_id": "nope"}, "comparison_adapter_id"),
    ],
)
async def test_references_must_exist(
    studio: Studio, combinations: Any, fields: dict[str, Any], named: str
) -> None:
    refusal = await studio.refusal(*combinations, **fields)
    assert isinstance(refusal, errors.FailedPrecondition)
    assert [v.field for v in refusal.violations] == [named]
    assert "'nope'" in refusal.message


async def test_invalid_request_starts_nothing(studio: Studio) -> None:
    refusal = await studio.refusal(cpu=0, generation_config="[]")
    assert isinstance(refusal, errors.InvalidArgument)
    assert {v.field for v in refusal.violations} == {"cpu", "generation_config"}
    refusal = await studio.refusal(retry=RetryPolicy(max_attempts=11, on=["USER_ERROR"]))
    assert {v.field: v.rule for v in refusal.violations} == {
        "retry.max_attempts": "FT-813",
        "retry.on[0]": "FT-814",
    }


async def test_unknown_job_is_not_found(studio: Studio) -> None:
    with pytest.raises(errors.NotFound, match="evaluation job 'nope' does not exist"):
        await studio.get("nope")


async def test_hub_token_reaches_the_job_and_nothing_else(
    tmp_path: Path, workspace: WorkbenchProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUGGINGFACE_ACCESS_TOKEN", "hf_secret")
    async with services(tmp_path, *PEERS, "evaluation"):
        studio = Studio(tmp_path, workspace)
        await studio.fill()
        studio.program(EVALUATES)
        [started] = (await studio.start()).evaluation_jobs
        job = await studio.reach(started.id, "SUCCEEDED")
        exported = await exported_rows(tmp_path, "evaluation")
        await studio.close()
    assert (studio.folder(job.id) / "job.log").read_text() == "token: hf_secret\n"
    assert "hf_secret" not in str(exported) + str(job)
    assert "hf_secret" not in (studio.folder(job.id) / "flags.json").read_text()
    for file in ("evaluation.db", "evaluation.db-wal", "workbench.log"):
        assert b"hf_secret" not in content(tmp_path / file) + content(workspace.folder / file)


@pytest.mark.parametrize("away", PEERS)
async def test_domain_that_is_down_is_named_and_nothing_written(
    tmp_path: Path, workspace: WorkbenchProcess, away: str
) -> None:
    there = [name for name in PEERS if name != away]
    async with services(tmp_path, "evaluation"):
        studio = Studio(tmp_path, workspace)
        async with services(tmp_path, *PEERS):
            await studio.fill()
        async with services(tmp_path, *there):
            refusal = await studio.refusal()
        await studio.close()
    assert isinstance(refusal, errors.Unavailable)
    assert refusal.metadata == {"service": away}


async def test_records_say_that_the_workspace_was_down(
    tmp_path: Path, workspace: WorkbenchProcess, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDSW_API_URL", f"http://127.0.0.1:{closed_port}/api/v2")
    async with services(tmp_path, *PEERS, "evaluation"):
        studio = Studio(tmp_path, workspace)
        await studio.fill()
        with pytest.raises(errors.Unavailable, match="the workspace did not answer"):
            await studio.start(("m", ""), ("m", "a"))
        for job in await studio.listed():
            ended = await studio.reach(job.id, "FAILED")
            assert "the workspace did not answer" in ended.status.failure_reason
        assert len(await studio.listed()) == 2
        await studio.close()
