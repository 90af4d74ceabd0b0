"""Fills a studio: registers what jobs refer to, and copies rows in its stores."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from benchmarks.bench.connection import Connection
from benchmarks.bench.contract import api
from benchmarks.bench.studio import MeasuredStudio

STATES = ("SUCCEEDED",) * 8 + ("FAILED", "STOPPED")
MANIFEST = json.dumps({"settings": {f"setting_{number:03}": number / 7 for number in range(200)}})
"""As long as the manifest of a real job, 7 kB."""
OF_RUNS = ("run_id", "sent_at", "request_id", "token_hash", "not_before", "waits_for")
TIME = "%Y-%m-%d %H:%M:%S.%f"


class Filling:
    """Rows that a studio gets, each a copy of one that the studio has made itself."""

    def __init__(self, studio: MeasuredStudio) -> None:
        self.studio = studio
        self.prompt = api.PromptMetadata()
        self.start = api.StartFineTuningJobRequest()
        self.job_id = ""

    async def register(self, connection: Connection) -> None:
        """Registers the starter model and data, and makes a prompt and a job to be copied."""
        ask = connection.ask
        adding = api.AddModelRequest(type="project", location="starter/model", name="starter")
        model = (await ask("AddModel", adding)).model
        data = api.AddDatasetRequest(type="project", location="starter/intents", name="intents")
        dataset = (await ask("AddDataset", data)).dataset
        prompt = api.PromptMetadata(
            id=str(uuid4()),
            name="template",
            dataset_id=dataset.id,
            prompt_template="### CUSTOMER: {customer}\n### ACTION: {action}",
            input_template="### CUSTOMER: {customer}\n### ACTION:",
            completion_template=" {action}",
        )
        self.prompt = (await ask("AddPrompt", api.AddPromptRequest(prompt=prompt))).prompt
        self.start = api.StartFineTuningJobRequest(
            base_model_id=model.id,
            dataset_id=dataset.id,
            prompt_id=prompt.id,
            cpu=1,
            memory=1,
            auto_add_adapter=True,
            learning_rate=2e-3,
            training_arguments_config=json.dumps({"logging_steps": 1, "report_to": "none"}),
        )
        template = api.StartFineTuningJobRequest(adapter_name="template")
        template.MergeFrom(self.start)
        job = (await ask("StartFineTuningJob", template)).fine_tuning_job
        self._prompt_row = self.studio.row("prompts", "prompts", prompt.id)
        self._job_row = self.studio.row("fine_tuning", "fine_tuning_jobs", job.id)
        await ask("RemoveFineTuningJob", api.RemoveFineTuningJobRequest(id=job.id))

    def insert(self, prompts: int, jobs: int) -> None:
        """Adds rows until there are so many. The studio must be down."""
        self.studio.insert("prompts", "prompts", self._prompts(prompts - 1))
        if jobs:
            self.studio.insert("fine_tuning", "fine_tuning_jobs", self._jobs(jobs))

    def _prompts(self, number: int) -> Iterator[dict[str, Any]]:
        for n in range(number):
            row = {
                **self._prompt_row,
                "id": str(uuid4()),
                "name": f"prompt {n * 7919 % number:07}",
                "dataset_id": f"dataset-{n % 100}",
            }
            yield _later(row, n + 1)

    def _jobs(self, number: int) -> Iterator[dict[str, Any]]:
        for n in range(number):
            id = self.job_id = str(uuid4())
            row = {
                **self._job_row,
                **dict.fromkeys(OF_RUNS),
                "id": id,
                "cml_job_id": f"cml-{n}",
                "state": STATES[n % len(STATES)],
                "adapter_name": f"adapter-{n * 7919 % number:06}",
                "adapter_id": f"adapter-{n}",
                "base_model_id": f"model-{n % 10}",
                "dataset_id": f"dataset-{n % 100}",
                "out_dir": f"adapters/{id}",
                "step": 100,
                "total_steps": 100,
                "loss": 0.5,
                "manifest": MANIFEST,
            }
            for name in ("started_at", "finished_at"):
                row[name] = row["created_at"]
            yield _later(row, n + 1)


def _later(row: dict[str, Any], seconds: int) -> dict[str, Any]:
    """The row with times so many seconds after those of the first; arrival is left to the table."""
    later = {name: value for name, value in row.items() if name != "seq"}
    for name, value in row.items():
        if name.endswith("_at") and value is not None:
            time = datetime.strptime(value, TIME) + timedelta(seconds=seconds)
            later[name] = time.strftime(TIME)
    return later
