"""Trainings that go wrong: what a person is told, and that no adapter comes of them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import accelerate
import pytest
import torch
from safetensors.torch import load_file

from trainer.errors import TrainingError, kind_of
from trainer.model import weights
from trainer.schemas import settings
from trainer.tests.studio import Studio
from trainer.tests.support import Run
from trainer.training import guard

Train = Callable[..., Run]

FLAT = {"lr_scheduler_type": "constant", "warmup_ratio": 0, "logging_steps": 1}


@pytest.fixture(autouse=True)
def without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that break a training in a few steps are refused before it; others take longer."""
    monkeypatch.setattr(settings, "_check_values", lambda *_: None)


@pytest.fixture
def broken(train: Train, studio: Studio, project: Path) -> Callable[..., str]:
    """Trains; what the failed job says. No adapter is saved or registered."""

    def fails(training: dict[str, Any], lora: dict[str, Any] | None = None, **flags: Any) -> str:
        with pytest.raises(TrainingError) as caught:
            train(training=FLAT | training, lora=lora, **flags)
        assert kind_of(caught.value) == "USER_ERROR"
        assert studio.adapters == []
        assert not list(project.glob("adapters/*"))
        return str(caught.value)

    return fails


def break_losses(monkeypatch: pytest.MonkeyPatch, number: float, step: int) -> None:
    """From that step on, losses are so."""
    from trl.trainer.sft_trainer import SFTTrainer

    original = SFTTrainer.compute_loss

    def compute_loss(self: Any, *args: Any, **kwargs: Any) -> Any:
        loss = original(self, *args, **kwargs)
        return loss * number if self.state.global_step + 1 >= step else loss

    monkeypatch.setattr(SFTTrainer, "compute_loss", compute_loss)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("step", [1, 3])
def test_loss_that_is_not_finite_ends_the_job(
    broken: Callable[..., str], monkeypatch: pytest.MonkeyPatch, number: float, step: int
) -> None:
    break_losses(monkeypatch, number, step)

    # Logs come too seldom to show it.
    said = broken({"max_steps": 6, "logging_steps": 100})

    assert said.startswith(f"The loss is {number} at step {step} of 6. ")
    last = r"The last finite loss was [\d.]+ at step 2\." if step == 3 else "No step had a finite"
    assert re.search(last, said)
    assert "No adapter is saved. Try a learning_rate below 0.002" in said


def test_learning_rate_that_is_far_too_high_ends_the_job(broken: Callable[..., str]) -> None:
    said = broken({"max_steps": 12, "learning_rate": 1e30, "save_steps": 1})

    assert re.match(r"(The loss is nan|\d+ of 56 trained weights are not finite)", said)


def test_last_step_that_breaks_the_weights_leaves_no_adapter(
    broken: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # All is well until the weights are changed.
    step = torch.optim.AdamW.step

    def breaking(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = step(self, *args, **kwargs)
        with torch.no_grad():
            self.param_groups[0]["params"][0].fill_(float("inf"))
        return result

    monkeypatch.setattr(torch.optim.AdamW, "step", breaking)

    said = broken({"max_steps": 1})

    assert "of 56 trained weights are not finite (nan or inf) after step 1 of 1" in said


def test_gradient_that_is_not_finite_ends_the_job(
    broken: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from trl.trainer.sft_trainer import SFTTrainer

    original = SFTTrainer.training_step

    def training_step(self: Any, *args: Any, **kwargs: Any) -> Any:
        loss = original(self, *args, **kwargs)
        next(p for p in self.model.parameters() if p.grad is not None).grad.view(-1)[0] = torch.nan
        return loss

    monkeypatch.setattr(SFTTrainer, "training_step", training_step)

    assert broken({"max_steps": 2}).startswith("A gradient is not finite (nan or inf) at step 1")


def test_checkpoint_of_broken_weights_does_not_count(
    broken: Callable[..., str], monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    monkeypatch.setattr(guard.TrainingGuard, "on_pre_optimizer_step", lambda *_, **__: None)

    said = broken({"max_steps": 9, "learning_rate": 1e30, "save_steps": 1})

    assert "trained weights are not finite" in said
    for marked in project.glob("outputs/job-1/checkpoint-*/complete.json"):
        saved = load_file(marked.parent / "adapter_model.safetensors")
        assert all(weights.is_finite(one) for one in saved.values())


@pytest.mark.parametrize(("steps", "fails"), [(10, False), (11, True)])
def test_loss_scaler_may_skip_ten_steps_in_a_row(
    broken: Callable[..., str],
    train: Train,
    monkeypatch: pytest.MonkeyPatch,
    steps: int,
    fails: bool,
) -> None:
    # As under fp16, for which this takes a GPU: the last step alone is not skipped.
    count = iter(range(1, 1000))
    skipped: dict[int, bool] = {}

    def was_skipped(self: Any) -> bool:
        skipped[next(count)] = True
        return len(skipped) <= 2 * steps  # It is asked twice a step.

    monkeypatch.setattr(accelerate.Accelerator, "optimizer_step_was_skipped", property(was_skipped))
    training = {"max_steps": steps + 1}
    if fails:
        said = broken(training)
        assert said.startswith(f"The loss scaler of fp16 has skipped {steps} steps in a row, up to")
    else:
        assert train(training=FLAT | training).of("saved")


@pytest.mark.parametrize(("backoff", "fails"), [(1e-30, False), (0.999, True)])
def test_real_loss_scaler_ends_the_job_where_it_finds_no_scale(
    broken: Callable[..., str],
    train: Train,
    monkeypatch: pytest.MonkeyPatch,
    backoff: float,
    fails: bool,
) -> None:
    # The library gives a CPU none. Its first scale makes every gradient infinite.
    scaler = torch.amp.GradScaler("cpu", init_scale=3e38, backoff_factor=backoff)
    begin = accelerate.Accelerator.__init__

    def with_scaler(self: Any, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        self.scaler = scaler

    monkeypatch.setattr(accelerate.Accelerator, "__init__", with_scaler)
    training = {"max_steps": 14}
    if fails:
        said = broken(training)
        assert said.startswith("The loss scaler of fp16 has skipped 11 steps in a row, up to step")
    else:
        assert train(training=FLAT | training).of("saved")
        assert scaler.get_scale() < 3e38


@pytest.mark.parametrize(
    ("lora", "why"),
    [
        ({"lora_alpha": 0}, "lora_alpha is 0, so LoRA adds nothing"),
        ({"lora_dropout": 1.0}, "lora_dropout is 1, so LoRA gets no input"),
        ({"lora_alpha": 0, "use_rslora": True}, "lora_alpha is 0"),
        ({"lora_alpha": 0, "init_lora_weights": "gaussian"}, "lora_alpha is 0"),
        ({"lora_alpha": 0, "target_modules": ["embed_tokens"]}, "lora_alpha is 0"),
    ],
)
def test_adapter_that_has_not_moved_is_none(
    broken: Callable[..., str], lora: dict[str, Any], why: str
) -> None:
    # Weight decay makes other numbers of LoRA's random matrices, to no effect.
    said = broken({"max_steps": 3, "weight_decay": 0.1}, lora={"r": 4, **lora})

    assert said.startswith("The training has changed nothing: after 3 steps")
    assert why in said


@pytest.mark.parametrize(
    "lora",
    [
        {},
        {"init_lora_weights": "gaussian"},
        {"init_lora_weights": "pissa"},
        {"init_lora_weights": "olora"},
        {"init_lora_weights": "orthogonal"},
        {"init_lora_weights": False},
        {"use_dora": True},
        {"target_modules": ["embed_tokens"]},
        {"target_modules": ["q_proj"], "modules_to_save": ["lm_head"]},
    ],
    ids=str,
)
def test_adapter_that_has_moved_is_saved_from_any_start(train: Train, lora: dict[str, Any]) -> None:
    run = train(training=FLAT | {"max_steps": 1}, lora={"r": 4, **lora})

    assert run.of("registered")
    assert not [n for n in run.of("notice") if "as they were at the start" in n["message"]]


def test_lora_that_has_not_moved_while_the_rest_has_is_reported(train: Train) -> None:
    lora = {"lora_alpha": 0, "target_modules": ["q_proj"], "modules_to_save": ["lm_head"]}
    run = train(training=FLAT | {"max_steps": 2}, lora=lora)

    [told] = [n["message"] for n in run.of("notice") if "as they were at the start" in n["message"]]
    assert "lora_alpha is 0" in told
    assert run.of("registered")


def test_learning_rates_of_0_are_reported(train: Train) -> None:
    # The only step is one of warming up, which begins with 0.
    run = train(training={"max_steps": 1, "lr_scheduler_type": "linear", "warmup_ratio": 0.03})

    assert any("The learning rate was 0 at each" in n["message"] for n in run.of("notice"))
    assert run.of("registered")


@pytest.mark.parametrize("alpha", [16, 0])
def test_job_that_is_resumed_at_its_last_step_is_compared_with_its_start(
    train: Train, monkeypatch: pytest.MonkeyPatch, project: Path, alpha: int
) -> None:
    training = FLAT | {"max_steps": 2, "save_steps": 1}
    with monkeypatch.context() as patched:
        patched.setattr(guard.TrainingGuard, "finish", lambda _: None)
        first = train(training=training, lora={"lora_alpha": alpha})
    saved = project / "adapters/job-1/adapter_model.safetensors"
    before = saved.read_bytes()
    monkeypatch.setenv("FTS_ATTEMPT", "2")

    def resume() -> Run:
        return train(training=training, lora={"lora_alpha": alpha}, job="job-1")

    if alpha:
        resumed = resume()
        assert [e["checkpoint"] for e in resumed.of("resumed")] == ["checkpoint-2"]
        # And not by a step more.
        assert saved.read_bytes() == before
    else:
        with pytest.raises(TrainingError, match="has changed nothing: after 2 steps"):
            resume()
    assert first.folder.is_dir()


def test_start_of_a_training_is_kept_for_its_settings_alone(train: Train, project: Path) -> None:
    run = train(training=FLAT | {"max_steps": 1})

    kept = json.loads((run.folder / guard.FILE).read_text())
    assert set(kept) == {"identity", "weights"}
    assert str(project) not in json.dumps(kept)
