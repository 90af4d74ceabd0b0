"""What Validate accepts constructs the real config objects, and starts a step on a tiny model."""

import json
import os
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from chassis.errors import Violations
from ft import training
from services.evaluation.request import EvaluationRequest
from services.fine_tuning.request import JobRequest, Resources
from services.inspection.adapters import check_adapter, check_tokens
from services.inspection.findings import ERROR, Findings
from services.inspection.weights import of_files
from tests.fuzz import configs
from tests.support import REPOSITORY, TRAINER_PYTHON

LONG = "FTS_CONFIG_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("FTS_CONFIG_EXAMPLES", "120"))
"""How many configs are drawn; `make fuzz-configs` draws more."""
WORKER = Path(__file__).with_name("config_worker.py")
FUZZ = settings(
    deadline=None,
    max_examples=EXAMPLES,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=not LONG,
)


class Trainer:
    """The process that tries what is accepted."""

    def __init__(self, log: Path) -> None:
        assert TRAINER_PYTHON.exists(), f"{TRAINER_PYTHON} is missing: run `make env`"
        self._log = log
        self.tried: Counter[str] = Counter()
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
        self.model = Path(self._answer()["model"])

    def fault(self, asked: dict[str, Any]) -> str | None:
        """What goes wrong with these configs; None if nothing does."""
        assert self._process.stdin is not None
        self.tried["generation" if "generation" in asked else "training"] += 1
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


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainer]:
    found = Trainer(tmp_path_factory.mktemp("configs") / "worker.log")
    yield found
    found.stop()
    print(f"\ndrawn: {dict(DRAWN)}; tried: {dict(found.tried)}")  # noqa: T201


DRAWN: Counter[str] = Counter()


def refusals(asked: dict[str, Any], model: Path) -> list[str]:
    """What Validate and Start refuse the configs for."""
    found = Violations()
    if "generation" in asked:
        evaluation = EvaluationRequest(
            type="mlflow",
            combinations=(("model", ""),),
            dataset_id="d",
            prompt_id="p",
            cpu=1,
            gpu=0,
            memory=1,
            gpu_label_id=None,
            configs={"generation_config": json.dumps(asked["generation"])},
        )
        evaluation.check(found)
        seen = Findings()
        if not found.found:
            vocabulary = json.loads((model / "config.json").read_text())["vocab_size"]
            check_tokens(asked["generation"], vocabulary, seen)
        return [one.description for one in (*found.found, *seen.found)]
    named = {
        "training": "training_arguments_config",
        "lora": "lora_config",
        "bnb": "model_bnb_config",
    }
    JobRequest(
        adapter_name="a",
        base_model_id="m",
        dataset_id="d",
        prompt_id="p",
        cpu=Resources(name="cpu", value=1, alias="num_cpu", alias_value=None),
        gpu=Resources(name="gpu", value=0, alias="num_gpu", alias_value=None),
        memory=Resources(name="memory", value=1, alias="num_memory", alias_value=None),
        configs={named[kind]: json.dumps(config) for kind, config in asked.items()},
    ).check(found)
    said = [one.description for one in found.found]
    if not said and "lora" in asked:
        seen = Findings()
        check_adapter(asked["lora"], of_files(_files(model)), seen)
        said = [one.description for one in seen.found if one.severity == ERROR]
    return said


def _files(model: Path) -> dict[str, Path]:
    return {path.name: path for path in model.glob("*.safetensors")}


def of_this_trial(asked: dict[str, Any]) -> bool:
    """Leaves out what depends on rows and prompt, which have checks and tests of their own, and
    what would fill the memory of a small machine."""
    train = training.current(asked.get("training", {}))
    if train.get("assistant_only_loss") or train.get("dataloader_drop_last"):
        return False
    if (train.get("max_length") or 99) < 64:
        return False
    return not (train.get("dataloader_num_workers") or train.get("dataset_num_proc") or 0) > 2


def check(asked: dict[str, Any], trainer: Trainer) -> None:
    DRAWN["all"] += 1
    if refusals(asked, trainer.model):
        DRAWN["refused"] += 1
        return
    if not of_this_trial(asked):
        DRAWN["left out"] += 1
        return
    error = trainer.fault(asked)
    assert error is None, f"accepted, and fails: {json.dumps(asked)}: {error}"


@FUZZ
@given(asked=configs.trainings())
def test_a_training_that_is_accepted_starts(asked: dict[str, Any], trainer: Trainer) -> None:
    check(asked, trainer)


@FUZZ
@given(asked=configs.generations())
def test_a_generation_that_is_accepted_writes(asked: dict[str, Any], trainer: Trainer) -> None:
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
def test_a_training_is_compiled(compiled: dict[str, Any], trainer: Trainer) -> None:
    check({"training": compiled}, trainer)


@pytest.mark.skipif(not LONG, reason="figures of the long run")
def test_enough_of_them_have_trained(trainer: Trainer) -> None:
    assert trainer.tried["training"] >= EXAMPLES // 5
