"""Settings that requests are refused for are also refused, with the same reasons, by a job."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ft.tests.refused_settings import (
    GENERATION,
    LORA,
    OF_MODEL_GENERATION,
    OF_MODEL_LORA,
    OF_MODEL_TRAINING,
    QUANTISATION,
    TRAINING,
)
from trainer.errors import TrainerError, explain
from trainer.job.arguments import fine_tune_arguments
from trainer.job.events import EventLog
from trainer.schemas.settings import make_quantisation_config
from trainer.tests.studio import Direct, Studio
from trainer.tests.support import Run, evaluation_flags
from trainer.training.job import FineTuning

OF_TRAINING = [*TRAINING, *OF_MODEL_TRAINING]
OF_LORA = [*LORA, *OF_MODEL_LORA]
OF_GENERATION = [*GENERATION, *OF_MODEL_GENERATION]


def text(config: dict[str, Any]) -> str:
    """A config as an argument has it, without a blank."""
    return json.dumps(config, separators=(",", ":")).replace(" ", "\\u0020")


def reason(project: Path, work: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(project)
    with pytest.raises(TrainerError) as raised:
        work()
    return explain(raised.value)


@pytest.fixture
def trained(
    project: Path, fine_tune_flags: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    def run(training: dict[str, Any] | None = None, lora: dict[str, Any] | None = None) -> str:
        flags = fine_tune_flags(lora_config=text(lora or {}))
        given = training or {"max_steps": 1}
        words = [one for one in flags.split() if one]
        at = words.index("--training_arguments_config")
        words[at + 1] = text({"report_to": "none", **given})
        arguments = fine_tune_arguments({"JOB_ARGUMENTS": " ".join(words)})
        job = FineTuning(arguments, Direct(Studio()), EventLog(project / "outputs/x"), project)
        return reason(project, job.run, monkeypatch)

    return run


@pytest.mark.parametrize(("config", "said"), OF_TRAINING)
def test_refused_training_settings_fail_in_the_library(
    trained: Callable[..., str], config: dict[str, Any], said: str
) -> None:
    found = trained(training=config)
    assert found.startswith("training_arguments_config: ")
    assert said in found


@pytest.mark.parametrize(("config", "said"), OF_LORA)
def test_refused_adapter_settings_fail_in_the_library(
    trained: Callable[..., str], config: dict[str, Any], said: str
) -> None:
    found = trained(lora=config)
    assert found.startswith("lora_config: ")
    assert said in found


@pytest.mark.parametrize(("config", "said"), QUANTISATION)
def test_refused_quantization_settings_fail_in_the_library(
    config: dict[str, Any], said: str
) -> None:
    with pytest.raises(TrainerError, match=r"^bnb_config: ") as raised:
        make_quantisation_config("bnb_config", config)
    assert said in str(raised.value)


@pytest.mark.parametrize(("config", "said"), OF_GENERATION)
def test_refused_generation_settings_fail_in_the_library(
    evaluate: Callable[[str], Run], config: dict[str, Any], said: str
) -> None:
    with pytest.raises(TrainerError, match=r"^generation_config: ") as raised:
        evaluate(evaluation_flags(generation_config=text(config)))
    assert said in explain(raised.value)
