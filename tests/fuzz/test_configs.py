"""What Validate accepts constructs the real config objects, and starts a step on a tiny model."""

import json
import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from chassis.rpc.errors import Violations
from chassis.rpc.findings import ERROR
from ft.api import DatasetMetadata, ModelMetadata, PromptMetadata
from ft.configs import training
from ft.proto.inspection_pb2 import InspectionWork, InspectJobRequest
from services.evaluation.request import EvaluationRequest
from services.fine_tuning.request import AliasedNumber, FineTuningRequest
from services.inspection.job_inspection import inspect_job
from tests.fuzz import configs
from tests.processes import starts_processes
from tests.support import REPOSITORY, TRAINER_PYTHON

LONG = "FTS_CONFIG_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("FTS_CONFIG_EXAMPLES", "160"))
"""How many configs are drawn in all; `make fuzz-configs` draws more."""
GENERATIONS = EXAMPLES // 4
WORKER = Path(__file__).with_name("config_worker.py")
FUZZ = settings(
    deadline=None,
    # The long run goes on behind a fault, and shows all of them at its end.
    phases=[Phase.generate] if LONG else [Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=not LONG,
)


class Trainer:
    """The process that tries what is accepted."""

    def __init__(self, log: Path) -> None:
        assert TRAINER_PYTHON.exists(), f"{TRAINER_PYTHON} is missing: run `make env`"
        self._log = log
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.seen: set[str] = set()
        self.begun = time.monotonic()
        self._start()

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(TRAINER_PYTHON), str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY / "shared")},
            )
        self.project = Path(self._answer()["project"])

    def fault(self, asked: dict[str, Any]) -> str | None:
        """What goes wrong with these configs; None if nothing does."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        timer = threading.Timer(300, self._process.kill)
        timer.start()
        try:
            error: str | None = self._answer()["error"]
        except ValueError:
            error = f"the process ended with status {self._process.wait()}"
            self._start()
        finally:
            timer.cancel()
        return error

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def figures(self) -> str:
        """What the run has come to."""
        told = {**self.counts, "faults": len(self.faults)}
        told["seconds"] = round(time.monotonic() - self.begun)
        return ", ".join(f"{name} {number}" for name, number in told.items())


@pytest.fixture(scope="module")
@starts_processes
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainer]:
    found = Trainer(tmp_path_factory.mktemp("configs") / "worker.log")
    yield found
    found.stop()
    print(f"\n{found.figures()}", flush=True)  # noqa: T201


def refusals(asked: dict[str, Any], project: Path) -> list[str]:
    """What Start, or Validate after it, refuses the configs for."""
    found = Violations()
    request = _evaluation(asked) if "generation" in asked else _training(asked)
    request.check(found)
    said = [one.description for one in found.found]
    if said:
        return said
    work = InspectionWork(request=_inspected(asked), project=str(project), seconds=60)
    work.model_files.update({one.name: str(one) for one in (project / "tiny").iterdir()})
    seen = inspect_job(work, None)
    assert seen.HasField("data"), seen
    return [one.description for one in seen.findings if one.severity == ERROR]


def _evaluation(asked: dict[str, Any]) -> EvaluationRequest:
    return EvaluationRequest(
        type="mlflow",
        combinations=(("model", ""),),
        dataset_id="d",
        prompt_id="p",
        cpu=1,
        gpu=0,
        memory=1,
        generation_config=json.dumps(asked["generation"]),
    )


NAMES = {
    "training": "training_arguments_config",
    "lora": "lora_config",
    "bnb": "model_bnb_config",
}


def _training(asked: dict[str, Any]) -> FineTuningRequest:
    return FineTuningRequest(
        adapter_name="a",
        base_model_id="m",
        dataset_id="d",
        prompt_id="p",
        cpu=AliasedNumber(name="cpu", value=1, alias="num_cpu", alias_value=None),
        gpu=AliasedNumber(name="gpu", value=0, alias="num_gpu", alias_value=None),
        memory=AliasedNumber(name="memory", value=1, alias="num_memory", alias_value=None),
        **{NAMES[kind]: json.dumps(config) for kind, config in asked.items()},
    )


def _inspected(asked: dict[str, Any]) -> InspectJobRequest:
    """What the job domains have looked into, as `config_worker` trains it."""
    texts = {kind: json.dumps(config) for kind, config in asked.items()}
    return InspectJobRequest(
        kind="evaluation" if "generation" in asked else "fine_tuning",
        model=ModelMetadata(type="project", name="m", location="tiny"),
        dataset=DatasetMetadata(type="project_jsonl", name="d", location="rows.jsonl"),
        prompt=PromptMetadata(
            prompt_template="### CUSTOMER: {customer}\n### ACTION: {action}",
            input_template="### CUSTOMER: {customer}\n### ACTION:",
            completion_template=" {action}",
        ),
        dataset_fraction=1,
        train_test_split=0.75,
        eval_dataset_fraction=1,
        training_arguments_json=texts.get("training", ""),
        lora_config_json=texts.get("lora", ""),
        bnb_config_json=texts.get("bnb", ""),
        generation_config_json=texts.get("generation", ""),
        memory_gib=1,
        num_workers=1,
    )


def of_this_trial(asked: dict[str, Any]) -> bool:
    """Leaves out what would fill the memory of a small machine."""
    train = training.with_current_names(asked.get("training", {}))
    return not (train.get("dataloader_num_workers") or train.get("dataset_num_proc") or 0) > 2


def check(asked: dict[str, Any], trainer: Trainer) -> None:
    """Fails if the configs are accepted and cannot be worked with; in a long run, that is kept."""
    counts, text = trainer.counts, json.dumps(asked, sort_keys=True)
    counts["drawn"] += 1
    if counts["drawn"] % 500 == 0:
        print(trainer.figures(), flush=True)  # noqa: T201
    if text in trainer.seen:
        counts["drawn before"] += 1
    elif refusals(asked, trainer.project):
        counts["refused"] += 1
    elif not of_this_trial(asked):
        counts["left out"] += 1
    else:
        counts["generated" if "generation" in asked else "trained"] += 1
        if error := trainer.fault(asked):
            trainer.faults.append(f"accepted, and fails: {text}: {error}")
            print(trainer.faults[-1], flush=True)  # noqa: T201
            assert LONG, trainer.faults[-1]
    if LONG:
        trainer.seen.add(text)


@settings(FUZZ, max_examples=EXAMPLES - GENERATIONS)
@given(asked=configs.trainings())
def test_accepted_training_config_starts(asked: dict[str, Any], trainer: Trainer) -> None:
    check(asked, trainer)


@settings(FUZZ, max_examples=GENERATIONS)
@given(asked=configs.generations())
def test_accepted_generation_config_writes(asked: dict[str, Any], trainer: Trainer) -> None:
    check(asked, trainer)


@pytest.mark.skipif(not LONG, reason="each takes a minute or more: make fuzz-configs")
@pytest.mark.parametrize(
    "compiled",
    [
        {"torch_compile": True},
        {"torch_compile": True, "torch_compile_backend": "eager"},
        {"torch_compile_backend": "aot_eager", "gradient_checkpointing": True},
        {"torch_compile": True, "torch_compile_mode": "reduce-overhead"},
    ],
)
def test_compiled_training_config_starts(compiled: dict[str, Any], trainer: Trainer) -> None:
    check({"training": compiled}, trainer)


@pytest.mark.skipif(not LONG, reason="figures of the long run")
def test_configs_have_trained_often_enough_and_none_failed(trainer: Trainer) -> None:
    assert not trainer.faults, "\n".join(trainer.faults)
    assert trainer.counts["trained"] >= EXAMPLES // 5, trainer.figures()
