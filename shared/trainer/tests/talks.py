"""Projects with an adapter that was trained on conversations."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ft.api import AdapterMetadata
from ft.job_protocol.variables import SERVED_ADAPTER, SERVED_BASE, SERVED_GENERATION
from ft.prompts.fields import TEMPLATES
from trainer.evaluation.job import Evaluation
from trainer.export.job import Export
from trainer.job.arguments import ExportArguments, evaluate_arguments, fine_tune_arguments
from trainer.job.events import EventLog
from trainer.job.studio import Identity
from trainer.serving.predict import Predictor, load
from trainer.tests.studio import Direct, Studio
from trainer.tests.support import Run
from trainer.training.job import FineTuning

STARTER = Path(__file__).parents[1] / "starter"
GENERATION_CONFIG = '{"max_new_tokens":12}'
Talk = list[dict[str, Any]]


@dataclass
class Made:
    """A project with an adapter that was trained on conversations."""

    project: Path
    studio: Studio
    talks: list[Talk] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """Notices of served models."""

    @property
    def adapter(self) -> AdapterMetadata:
        return self.studio.adapters[0]

    def serve(self, project: Path, **environment: str) -> Predictor:
        wanted = {
            SERVED_BASE: "starter/model",
            SERVED_ADAPTER: self.adapter.location,
            SERVED_GENERATION: GENERATION_CONFIG,
        }
        return load(wanted | environment, project, self.told.append)

    def evaluate(self, name: str, **values: Any) -> tuple[Run, list[dict[str, str]]]:
        """What was told, and the rows of the results."""
        folder = self.project / "mlflow_results" / name
        given = {
            "base_model_id": "model",
            "dataset_id": "dataset",
            "prompt_id": "prompt",
            "result_dir": folder,
            "generation_config": GENERATION_CONFIG,
            "eval_dataset_fraction": 1.0,
            **values,
        }
        words = " ".join(f"--{name} {value}" for name, value in given.items())
        arguments = evaluate_arguments({"JOB_ARGUMENTS": words})
        Evaluation(arguments, Direct(self.studio), EventLog(folder), self.project).run()
        with (folder / "result_evaluation.csv").open(newline="", encoding="utf-8") as file:
            return Run(0, "", folder), list(csv.DictReader(file))

    def export(self, type_: str) -> Run:
        """Exports the adapter as `talker`."""
        folder = self.project / "exports" / type_
        folder.mkdir(parents=True)
        arguments = ExportArguments(
            export_type=type_,
            base_model_id="model",
            adapter_id=self.adapter.id,
            model_name="talker",
            artifact_location="model",
            result_dir=f"exports/{type_}",
            generation_config={},
        )
        studio, events = Direct(self.studio), EventLog(folder)
        Export(arguments, Identity("job-1", ""), studio, events, self.project).run()
        return Run(0, "", folder)


@contextmanager
def trained(
    project: Path,
    rows: Sequence[dict[str, Any]],
    template: str,
    flags: Callable[..., str],
    *,
    max_steps: int,
    roles: dict[str, str] | None = None,
) -> Iterator[Made]:
    """Trains on rows of conversations in the project, with a chat template of its own."""
    studio = Studio()
    (project / "starter").mkdir()
    (project / "starter/model").symlink_to(STARTER / "model")
    (project / "talks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (project / "chat.jinja").write_text(template)
    for name in TEMPLATES:
        setattr(studio.prompt, name, "{messages}")
    studio.dataset.type, studio.dataset.location = "project_jsonl", "talks.jsonl"
    studio.dataset.roles = json.dumps(roles) if roles else ""
    training = {
        "max_steps": max_steps,
        "learning_rate": 8e-3,
        "optim": "adamw_torch",
        "fp16": False,
        "chat_template_path": "chat.jinja",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        arguments = fine_tune_arguments({"JOB_ARGUMENTS": flags(training=training)})
        FineTuning(arguments, Direct(studio), EventLog(project / "outputs/job-1"), project).run()
        yield Made(project, studio)
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
            os.environ.pop(name, None)
