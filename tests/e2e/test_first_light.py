"""The main job on real input: a training run and its evaluation through the facade."""

import csv
import json
from pathlib import Path

import psutil
import pytest

from chassis import reflect
from ft.api import (
    AddDatasetRequest,
    AddModelRequest,
    AddPromptRequest,
    EvaluationJobMetadata,
    EvaluationJobModelCombination,
    ExportDatabaseRequest,
    FineTuningJobMetadata,
    GetDatasetSplitByAdapterRequest,
    GetEvaluationJobRequest,
    GetFineTuningJobRequest,
    ImportDatabaseRequest,
    ListConfigsRequest,
    PromptMetadata,
    RemoveFineTuningJobRequest,
    StartEvaluationJobRequest,
    StartEvaluationJobResponse,
    StartFineTuningJobRequest,
    StreamEvaluationRowsRequest,
    TailLogsRequest,
)
from ft.client import FineTuningStudioClient, StudioError
from tests.e2e import serving
from tests.e2e.conftest import Studio
from tests.support import until

TRAINING_SECONDS = 400.0
ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT")


class Registered:
    """The starter model and data, and a prompt for them."""

    def __init__(self, client: FineTuningStudioClient) -> None:
        self.client = client
        model = AddModelRequest(type="project", location="starter/model")
        self.model_id = client.AddModel(model).model.id
        data = AddDatasetRequest(type="project", location="starter/intents", name="intents")
        self.dataset_id = client.AddDataset(data).dataset.id
        prompt = PromptMetadata(
            id="intents",
            name="intents",
            dataset_id=self.dataset_id,
            prompt_template="### CUSTOMER: {customer}\n### ACTION: {action}",
            input_template="### CUSTOMER: {customer}\n### ACTION:",
            completion_template=" {action}",
        )
        self.prompt_id = client.AddPrompt(AddPromptRequest(prompt=prompt)).prompt.id

    def train(self, name: str, **fields: object) -> FineTuningJobMetadata:
        """Starts a short training run."""
        request = StartFineTuningJobRequest(
            adapter_name=name,
            base_model_id=self.model_id,
            dataset_id=self.dataset_id,
            prompt_id=self.prompt_id,
            num_cpu=1,
            num_memory=2,
            auto_add_adapter=True,
            learning_rate=2e-3,
            training_arguments_config=json.dumps(
                {"per_device_train_batch_size": 8, "logging_steps": 1, "report_to": "none"}
            ),
            **fields,  # type: ignore[arg-type]
        )
        return self.client.StartFineTuningJob(request).fine_tuning_job

    def job(self, id: str) -> FineTuningJobMetadata:
        """The job as it is now."""
        return self.client.GetFineTuningJob(GetFineTuningJobRequest(id=id)).fine_tuning_job


@pytest.fixture(scope="module")
def registered(studio: Studio) -> Registered:
    return Registered(studio.client())


def test_studio_trains_registers_evaluates_and_serves(
    studio: Studio, registered: Registered
) -> None:
    started = registered.train("short", dataset_fraction=0.05)
    job = until(
        "trained",
        lambda: (j := registered.job(started.id)).status.state in ENDED and j,
        TRAINING_SECONDS,
    )
    assert job.status.state == "SUCCEEDED", job.status.failure_reason
    assert 0 < job.status.step == job.status.total_steps
    assert job.status.loss > 0
    assert (studio.project / job.out_dir / "adapter_model.safetensors").stat().st_size > 0

    client = registered.client
    (adapter,) = (a for a in client.get_adapters() if a.name == "short")
    assert adapter.id == job.adapter_id
    assert (adapter.fine_tuning_job_id, adapter.prompt_id) == (job.id, registered.prompt_id)
    split = client.GetDatasetSplitByAdapter(GetDatasetSplitByAdapterRequest(adapter_id=adapter.id))
    assert split.response.dataset_fraction == pytest.approx(0.05)
    used = client.ListConfigs(ListConfigsRequest(adapter_id=adapter.id)).configs
    assert {config.type for config in used} == {"lora_config", "training_arguments"}
    log = b"".join(r.data for r in client.TailLogs(TailLogsRequest(job_id=job.id, follow=True)))
    assert b"'loss'" in log
    scored = _evaluates(studio, registered, adapter.id)
    serving.serves_as_evaluated(studio, adapter, scored)


def _evaluates(studio: Studio, registered: Registered, adapter_id: str) -> list[dict[str, str]]:
    """The rows that the tuned model was scored on."""
    started = _evaluations(registered, adapter_id)
    assert started.evaluation_job == started.evaluation_jobs[-1]
    assert len({job.parent_job_id for job in started.evaluation_jobs}) == 1
    for one in started.evaluation_jobs:
        job, rows = _evaluated(studio, registered.client, one.id)
    chart = studio.home / "chart.svg"
    compared = studio.fts("eval", "compare", job.parent_job_id, "--chart", str(chart))
    [comparison] = compared["comparisons"]
    assert comparison["rows"] == job.rows
    assert set(comparison["differences"]) == {"exact_match", "rougeL"}
    assert chart.stat().st_size > 0
    return rows


def _evaluations(registered: Registered, adapter_id: str) -> StartEvaluationJobResponse:
    """One of the base model alone, one of it with the adapter."""
    return registered.client.StartEvaluationJob(
        StartEvaluationJobRequest(
            type="mlflow",
            model_adapter_combinations=[
                EvaluationJobModelCombination(base_model_id=registered.model_id, adapter_id=adapter)
                for adapter in ("", adapter_id)
            ],
            dataset_id=registered.dataset_id,
            prompt_id=registered.prompt_id,
            cpu=1,
            memory=2,
            generation_config=json.dumps(serving.GREEDY),
            selected_features=["customer"],
            eval_dataset_fraction=0.5,
        )
    )


def _evaluated(
    studio: Studio, client: FineTuningStudioClient, job_id: str
) -> tuple[EvaluationJobMetadata, list[dict[str, str]]]:
    """The job once it has succeeded, and its rows; all that tells of them agrees."""
    request = GetEvaluationJobRequest(id=job_id)
    job = until(
        "evaluated",
        lambda: (j := client.GetEvaluationJob(request).evaluation_job).status.state in ENDED and j,
        TRAINING_SECONDS,
    )
    assert job.status.state == "SUCCEEDED", job.status.failure_reason
    results = studio.project / job.evaluation_dir
    rows = _rows(results / "result_evaluation.csv")
    assert len(rows) == job.rows > 0
    assert "customer_$useradded$" in rows[0]
    scores = {r["metric"]: r["score"] for r in _rows(results / "aggregregated_results.csv")}
    assert float(scores["exact_match"]) == pytest.approx(job.metrics["exact_match"])
    assert job.samples
    streamed = client.StreamEvaluationRows(StreamEvaluationRowsRequest(job_id=job.id))
    outputs = [row.output for part in streamed for row in part.rows]
    assert outputs == [row["model_output"] for row in rows]
    return job, rows


def test_workers_train_together_and_end_with_their_job(
    studio: Studio, registered: Registered
) -> None:
    job = registered.train("endless", num_epochs=100, num_workers=2)
    until("training", lambda: registered.job(job.id).status.step > 1, TRAINING_SECONDS)
    process = process_of(studio, job.id)
    assert process is not None
    processes = [process, *process.children(recursive=True)]
    assert sum("trainer.commands.worker" in words_of(p) for p in processes) == 2
    registered.client.RemoveFineTuningJob(RemoveFineTuningJobRequest(id=job.id))
    until("gone", lambda: not any(p.is_running() for p in processes), 30.0)
    with pytest.raises(StudioError):
        registered.job(job.id)


def test_job_goes_on_while_its_service_and_the_workbench_are_killed(
    studio: Studio, registered: Registered
) -> None:
    job = registered.train("survivor", dataset_fraction=0.02)
    until("running", lambda: registered.job(job.id).status.state == "RUNNING", TRAINING_SECONDS)
    for service in ("fine_tuning", "workbench"):
        psutil.Process(studio.pids()[service]).kill()
    ended = until(
        "ended",
        lambda: (j := _patient(registered, job.id)) and j.status.state in ENDED and j,
        TRAINING_SECONDS,
    )
    assert ended.status.state == "SUCCEEDED", ended.status.failure_reason
    assert [a.name for a in registered.client.get_adapters()].count("survivor") == 1


def test_failing_job_says_why(registered: Registered) -> None:
    job = registered.train("mistaken", lora_config=json.dumps({"r": 4, "target_modules": ["nope"]}))
    ended = until(
        "failed",
        lambda: (j := registered.job(job.id)).status.state in ENDED and j,
        TRAINING_SECONDS,
    )
    assert ended.status.state == "FAILED"
    assert "nope" in ended.status.failure_reason


def test_export_names_every_table_and_imports_again(studio: Studio, registered: Registered) -> None:
    client = registered.client
    exported = client.ExportDatabase(ExportDatabaseRequest()).exported_json
    tables = json.loads(exported)
    contract = {
        "models",
        "datasets",
        "adapters",
        "prompts",
        "fine_tuning_jobs",
        "evaluation_jobs",
        "configs",
    }
    # What the contract's tables have no columns for lies in tables of the studio's own.
    own = {f"fts_{name}" for name in contract}
    own |= {"fts_export_jobs", "fts_export_job_events"}
    own |= {"fts_fine_tuning_job_events", "fts_evaluation_job_events"}
    assert set(tables) == contract | own
    (studio.project / "export.json").write_text(exported)
    client.ImportDatabase(ImportDatabaseRequest(imported_json_path="export.json"))
    assert json.loads(client.ExportDatabase(ExportDatabaseRequest()).exported_json) == tables


def test_reflection_lists_the_contract(
    studio: Studio, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["reflect", studio.address, "fine_tuning_studio.FineTuningStudio"]
    monkeypatch.setattr("sys.argv", arguments)
    assert reflect.main() == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 32
    assert any(line.startswith("rpc StartFineTuningJob(") for line in listed)


def _patient(registered: Registered, id: str) -> FineTuningJobMetadata | None:
    """The job, None while its service is being restarted."""
    try:
        return registered.job(id)
    except StudioError:
        return None


def process_of(studio: Studio, job_id: str) -> psutil.Process | None:
    """The job's own process, once it has begun to write."""
    if not (studio.project / "outputs" / job_id / "events.jsonl").exists():
        return None
    for process in psutil.process_iter(["environ", "cmdline"]):
        environment = process.info["environ"] or {}
        if (
            job_id in environment.get("JOB_ARGUMENTS", "")
            and "CML_FTS_JOB_NODE_RANK" not in environment
            and any("accel_fine_tune" in word for word in process.info["cmdline"] or ())
        ):
            return process
    return None


def words_of(process: psutil.Process) -> list[str]:
    """A process's command; nothing of one that has just ended."""
    try:
        words: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return words


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
