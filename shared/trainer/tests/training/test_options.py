"""Settings of training and adapter, each used in a training of a few steps."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from rows.errors import DataError
from trainer.errors import SettingsError
from trainer.tests.studio import Studio
from trainer.tests.support import Run

Train = Callable[..., Run]

CHAT = (
    "{% for m in messages %}{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] }}"
    "{{ eos_token }}{% endgeneration %}{% else %}{{ m['content'] }}\n{% endif %}{% endfor %}"
)


def losses(run: Run) -> list[float]:
    return [event["loss"] for event in run.of("progress") if "loss" in event]


def adapter(run: Run) -> Path:
    return run.folder.parents[1] / "adapters" / run.folder.name


def weights(run: Run) -> dict[str, Any]:
    return load_file(adapter(run) / "adapter_model.safetensors")


def test_completion_only_loss_leaves_out_the_prompt(train: Train) -> None:
    whole = train(training={"max_steps": 1, "logging_steps": 1})
    completion = train(training={"max_steps": 1, "logging_steps": 1, "completion_only_loss": True})

    # The same rows; the action's few tokens alone are harder to guess than the whole.
    assert losses(completion)[0] > losses(whole)[0] + 0.1


def test_rows_with_only_a_prompt_left_are_reported(train: Train) -> None:
    training = {"max_steps": 1, "completion_only_loss": True}
    with pytest.raises(DataError, match=r"No row has anything to learn: max_length 4 cuts off"):
        train(training={**training, "max_length": 4})
    run = train(training={**training, "max_length": 24})
    assert any("training rows are left out" in n["message"] for n in run.of("notice"))


def test_packed_rows_do_not_see_each_other(train: Train) -> None:
    training = {"max_steps": 1, "logging_steps": 1}
    three = train(training={**training, "per_device_train_batch_size": 3}, dataset_fraction=0.02)
    packed = train(
        training={**training, "per_device_train_batch_size": 1, "packing": True},
        dataset_fraction=0.02,
    )

    assert packed.of("started")[0]["train_rows"] == 3
    # One row of the batch holds all of them, and the loss is what it is without packing.
    assert losses(packed) == pytest.approx(losses(three), abs=1e-4)


def test_early_stopping_ends_with_the_best_step(train: Train) -> None:
    training = {
        "max_steps": 40,
        "eval_strategy": "steps",
        "eval_steps": 2,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "constant",
        "early_stopping_patience": 2,
        "early_stopping_threshold": 5.0,  # No evaluation is better by that much.
    }
    run = train(training=training, dataset_fraction=0.05)

    evaluated = [(e["step"], e["eval_loss"]) for e in run.of("progress") if "eval_loss" in e]
    assert [step for step, _ in evaluated] == [2, 4, 6]
    told = [n["message"] for n in run.of("notice") if "ended early" in n["message"]]
    best = min(evaluated, key=lambda one: one[1])[0]
    assert (
        "at step 6 of 40: the loss did not decrease in 2 evaluations. The adapter is that of the "
        f"best step, {best}." in told[0]
    )
    kept = load_file(run.folder / f"checkpoint-{best}/adapter_model.safetensors")
    assert all((kept[name] == saved).all() for name, saved in weights(run).items())


def test_evaluation_runs_after_each_epoch(train: Train) -> None:
    training = {"max_steps": -1, "num_train_epochs": 2, "eval_strategy": "epoch"}
    run = train(training=training, dataset_fraction=0.01)

    assert [e["epoch"] for e in run.of("progress") if "eval_loss" in e] == [1, 2]
    with pytest.raises(DataError, match="eval_strategy epoch needs rows"):
        train(training=training, train_test_split=1, dataset="rows.jsonl")


@pytest.mark.parametrize(
    ("lora", "parts"),
    [
        ({"use_dora": True}, "lora_magnitude_vector"),
        ({"use_rslora": True, "target_modules": "all-linear"}, "gate_proj.lora_A"),
        ({"modules_to_save": ["lm_head"], "target_modules": ["q_proj"]}, "lm_head"),
    ],
)
def test_adapter_variants_train(train: Train, lora: dict[str, Any], parts: str) -> None:
    run = train(training={"max_steps": 2, "logging_steps": 1}, lora={"r": 4, **lora})

    assert len(losses(run)) == 2
    assert any(parts in name for name in weights(run))
    saved = json.loads((adapter(run) / "adapter_config.json").read_text())
    for name in lora.keys() - {"target_modules"}:
        assert saved[name] == lora[name]


def test_gradient_checkpointing_changes_nothing(train: Train) -> None:
    without = weights(train(training={"max_steps": 2}))
    with_it = weights(train(training={"max_steps": 2, "gradient_checkpointing": True}))

    assert all((without[name] == one).all() for name, one in with_it.items())


def test_checkpoints_come_by_the_clock(train: Train) -> None:
    run = train(training={"max_steps": 3, "save_minutes": 0, "save_total_limit": 9})

    # The last step is saved as the adapter.
    saved = {one.name for one in run.folder.glob("checkpoint-*")}
    assert saved == {"checkpoint-1", "checkpoint-2"}


def test_assistant_only_loss_learns_the_answers(
    train: Train, studio: Studio, project: Path
) -> None:
    studio.model.location = "chatty"
    shutil.copytree(project / "starter/model", project / "chatty")
    file = project / "chatty/tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "chat_template": CHAT}))
    rows = [json.loads(line) for line in (project / "rows.jsonl").read_text().splitlines()]
    talks = [
        [
            {"role": "user", "content": row["customer"]},
            {"role": "assistant", "content": row["action"]},
        ]
        for row in rows
    ]
    lines = "".join(json.dumps({"messages": talk}) + "\n" for talk in talks)
    (project / "talks.jsonl").write_text(lines)
    studio.prompt.prompt_template = "{messages}"

    whole = train(training={"max_steps": 1, "logging_steps": 1}, dataset="talks.jsonl")
    answers = train(
        training={"max_steps": 1, "logging_steps": 1, "assistant_only_loss": True},
        dataset="talks.jsonl",
    )

    assert losses(answers)[0] != losses(whole)[0]
    assert (adapter(answers) / "chat_template.jinja").read_text() == CHAT


@pytest.mark.parametrize(
    ("training", "lora", "said"),
    [
        ({"early_stopping_patience": 1}, {}, "early_stopping_patience needs evaluations"),
        ({"loss_type": "none_such"}, {}, "loss_type must be one of nll"),
        ({}, {"target_modules": ["none_such"]}, "none_such"),
        ({}, {"target_modules": ["lm_head"]}, "target_modules cannot name lm_head"),
    ],
)
def test_settings_refused_by_the_library_are_user_errors(
    train: Train, training: dict[str, Any], lora: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        train(training=training, lora=lora)
