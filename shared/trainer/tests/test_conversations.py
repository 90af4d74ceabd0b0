"""Adapters that are trained on conversations: evaluated and served as they were trained."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainer.arguments import evaluate_arguments
from trainer.errors import ModelError
from trainer.evaluation import Evaluation
from trainer.events import EventLog
from trainer.tests.studio import Direct, Studio
from trainer.tests.support import Run

CHAT = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ '### CUSTOMER: ' + m.content + '\\n' }}"
    "{% else %}{{ '### ACTION: ' + m.content + eos_token + '\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### ACTION:' }}{% endif %}"
)


def talk(row: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": row["customer"]},
        {"role": "assistant", "content": row["action"]},
    ]


def asked(talk: list[dict[str, str]]) -> str:
    return f"### CUSTOMER: {talk[0]['content']}\n### ACTION:"


@pytest.fixture
def talks(project: Path, studio: Studio, train: Callable[..., Run]) -> list[Any]:
    """Conversations, as the studio's dataset and its prompt have them; the last has no answer."""
    rows = [json.loads(line) for line in (project / "rows.jsonl").read_text().splitlines()]
    made = [talk(row) for row in rows[:160]]
    made += [[*one, {"role": "user", "content": "thanks"}] for one in made[:10]]
    lines = "".join(json.dumps({"messages": one}) + "\n" for one in made)
    (project / "talks.jsonl").write_text(lines)
    (project / "chat.jinja").write_text(CHAT)
    for name in ("prompt_template", "input_template", "completion_template"):
        setattr(studio.prompt, name, "{messages}")
    studio.dataset.type, studio.dataset.location = "project_jsonl", "talks.jsonl"
    return made


@pytest.fixture
def evaluate(project: Path, studio: Studio) -> Callable[..., tuple[Run, list[dict[str, str]]]]:
    """Evaluates within the test's process; what was told, and the rows of the results."""

    def run(**values: Any) -> tuple[Run, list[dict[str, str]]]:
        folder = project / f"mlflow_results/eval-{len(list(project.glob('mlflow_results/*')))}"
        generation = json.dumps({"max_new_tokens": 12}, separators=(",", ":"))
        given = {
            "base_model_id": "model",
            "dataset_id": "dataset",
            "prompt_id": "prompt",
            "result_dir": folder,
            "generation_config": generation,
            "eval_dataset_fraction": 1.0,
            **values,
        }
        words = " ".join(f"--{name} {value}" for name, value in given.items())
        arguments = evaluate_arguments({"JOB_ARGUMENTS": words})
        Evaluation(arguments, Direct(studio), EventLog(folder), project).run()
        with (folder / "result_evaluation.csv").open(newline="", encoding="utf-8") as file:
            return Run(0, "", folder), list(csv.DictReader(file))

    return run


def test_an_adapter_is_evaluated_as_it_was_trained(
    talks: list[Any],
    train: Callable[..., Run],
    evaluate: Callable[..., Any],
    studio: Studio,
) -> None:
    training = {"max_steps": 60, "learning_rate": 8e-3, "chat_template_path": "chat.jinja"}
    train(training=training, dataset="talks.jsonl")
    adapter = studio.adapters[0]

    run, rows = evaluate(adapter_id=adapter.id, comparison_adapter_id=adapter.id)

    expected = {asked(one): one[1]["content"] for one in talks}
    assert rows
    for row in rows:
        assert row["expected_output"] == expected[row["model_input"]]
        # As it was taught: one name, and then the end of the answer.
        assert re.fullmatch(" [a-z_]+", row["model_output"])
    assert [sample["input"] for sample in run.of("sample")] == [
        row["model_input"] for row in rows[:8]
    ]
    assert "do not end with an assistant's answer" in str(run.of("notice"))
    # The base has no template of its own.
    run, base = evaluate(comparison_adapter_id=adapter.id)
    assert [row["model_input"] for row in base] == [row["model_input"] for row in rows]
    assert f"that of adapter {adapter.name}" in str(run.of("notice"))
    with pytest.raises(ModelError, match="Neither the base model nor the adapter has a chat"):
        evaluate()
