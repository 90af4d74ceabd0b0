"""Adapters of conversations: evaluated, served and exported as they were trained."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest
from mlflow import pyfunc

from ft.api import ExportType
from ft.job_protocol.files import ANSWERS_FILE
from ft.job_protocol.variables import SERVED_ADAPTER, SERVED_BASE
from tests.processes import slow
from trainer.errors import ModelError, ParityError
from trainer.serving.predict import Predictor
from trainer.tests.conversations import STARTER, Made, Talk, trained
from trainer.tests.support import Run

CHAT = (
    "{% for m in messages %}{% if m.role == 'user' %}{{ '### CUSTOMER: ' + m.content + '\\n' }}"
    "{% else %}{{ '### ACTION: ' + m.content + eos_token + '\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### ACTION:' }}{% endif %}"
)


def talks_of(rows: list[str]) -> list[Talk]:
    """A conversation of each row, and some that end with a question."""
    made = [
        [
            {"role": "user", "content": row["customer"]},
            {"role": "assistant", "content": row["action"]},
        ]
        for row in map(json.loads, rows)
    ]
    return made + [[*one, {"role": "user", "content": "thanks"}] for one in made[:20]]


def asked(talk: Talk) -> str:
    return f"### CUSTOMER: {talk[0]['content']}\n### ACTION:"


@pytest.fixture(scope="module")
@slow
def made(
    tmp_path_factory: pytest.TempPathFactory, fine_tune_flags: Callable[..., str]
) -> Iterator[Made]:
    """A short training with a chat template that the base does not have."""
    talks = talks_of((STARTER / "intents/train.jsonl").read_text().splitlines()[:160])
    folder = tmp_path_factory.mktemp("talks")
    rows = [{"messages": one} for one in talks]
    with trained(folder, rows, CHAT, fine_tune_flags, max_steps=40) as project:
        project.talks = talks
        yield project


@pytest.fixture(scope="module")
def evaluated(made: Made) -> tuple[Run, list[dict[str, str]]]:
    id = made.adapter.id
    return made.evaluate("tuned", adapter_id=id, comparison_adapter_id=id)


def test_adapter_is_evaluated_on_last_answers_as_trained(
    made: Made, evaluated: tuple[Run, list[dict[str, str]]]
) -> None:
    run, rows = evaluated
    expected = {asked(talk): talk[1]["content"] for talk in made.talks}
    assert len(rows) > 8
    for row in rows:
        assert row["expected_output"] == expected[row["model_input"]]
        # As it was taught: one name, and then the end of the answer.
        assert re.fullmatch(" [a-z_]+", row["model_output"])
    samples = [sample["input"] for sample in run.of("sample")]
    assert samples == [row["model_input"] for row in rows[:8]]
    assert "they do not end with an assistant's answer to another message" in str(run.of("notice"))


@pytest.fixture(scope="module")
def served(made: Made) -> Predictor:
    return made.serve(made.project)


def test_served_answers_are_those_of_the_evaluation(
    made: Made, served: Predictor, evaluated: tuple[Run, list[dict[str, str]]]
) -> None:
    talks = {asked(talk): talk[:1] for talk in made.talks}
    for row in evaluated[1][:6]:
        text = row["model_input"]
        assert served.answer({"messages": talks[text]}) == row["model_output"]
        assert served.answer({"prompt": text}) == row["model_output"]


def test_base_model_is_prompted_like_the_comparison_adapter(
    made: Made, evaluated: tuple[Run, list[dict[str, str]]]
) -> None:
    run, rows = made.evaluate("base", comparison_adapter_id=made.adapter.id)

    inputs = [row["model_input"] for row in rows]
    assert inputs == [row["model_input"] for row in evaluated[1]]
    assert f"it is asked with that of adapter {made.adapter.name}" in str(run.of("notice"))
    with pytest.raises(ModelError, match="Neither the base model nor the adapter has a chat"):
        made.evaluate("without")


def test_recorded_answers_are_of_conversations(made: Made, tmp_path: Path) -> None:
    folder = made.project / made.adapter.location
    recorded = json.loads((folder / ANSWERS_FILE).read_text())
    assert len(recorded["samples"]) == 4
    assert {one["input"] for one in recorded["samples"]} <= set(map(asked, made.talks))
    assert (folder / "chat_template.jinja").read_text() == CHAT
    shutil.copytree(made.project, tmp_path / "copy", symlinks=True)
    template = tmp_path / "copy" / made.adapter.location / "chat_template.jinja"
    template.write_text(CHAT.replace("ACTION", "ANSWER"))
    with pytest.raises(ParityError, match="Wrong chat template"):
        made.serve(tmp_path / "copy")


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"prompt": "a", "messages": [{"role": "user", "content": "a"}]}, "together with a prompt"),
        ({"messages": []}, "messages: must be a list of objects with role and content"),
        ({"messages": [{"role": "user"}]}, "messages: message 1 of user has no content"),
        (
            {"messages": [{"role": "user", "content": "a " * 5000}]},
            "messages: must have fewer than .* tokens",
        ),
    ],
)
def test_invalid_messages_are_refused(
    served: Predictor, request_: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        served.answer(request_)


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{{ 1 // (messages | length - 1) }}", "refuses it: .* by zero"),
        ("{{ '{9}'.format(messages) }}", "refuses it: .* out of range"),
        ("{% for i in range(10**8) %}{% endfor %}", "refuses it: Range too big"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "refuses it: .* recursion"),
        ("{{ '' }}", "writes nothing"),
    ],
)
def test_template_that_does_not_fit_is_reported(made: Made, template: str, told: str) -> None:
    predictor = made.serve(made.project)
    predictor._tokenizer.chat_template = template
    with pytest.raises(ValueError, match=f"messages: the chat template {told}"):
        predictor.answer({"messages": [{"role": "user", "content": "a"}]})


def test_unreadable_template_is_reported(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made.project, tmp_path / "copy", symlinks=True)
    template = tmp_path / "copy" / made.adapter.location / "chat_template.jinja"
    template.write_bytes(b"\xff")
    with pytest.raises(ModelError, match=r"chat_template\.jinja in the adapter's folder cannot"):
        made.serve(tmp_path / "copy")


def test_model_without_a_chat_template_takes_no_messages(made: Made) -> None:
    base = made.serve(made.project, **{SERVED_ADAPTER: ""})
    with pytest.raises(ValueError, match="messages: the model has no chat template"):
        base.answer({"messages": [{"role": "user", "content": "a"}]})


@pytest.mark.starts_processes
@pytest.mark.parametrize("type_", [ExportType.MERGED, "model_registry"])
def test_exports_answer_conversations(
    made: Made, evaluated: tuple[Run, list[dict[str, str]]], type_: str
) -> None:
    made.export(type_)

    talks = {asked(talk): talk[:1] for talk in made.talks}
    rows = evaluated[1][:4]
    messages = [talks[row["model_input"]] for row in rows]
    if type_ == ExportType.MERGED:
        place = {SERVED_BASE: f"exports/{type_}/model", SERVED_ADAPTER: ""}
        served = made.serve(made.project, **place)
        answers = [served.answer({"messages": one}) for one in messages]
    else:
        model = pyfunc.load_model("models:/talker/1")
        answers = model.predict(pandas.DataFrame({"messages": messages}))
        with pytest.raises(ValueError, match="cannot be given together with a prompt"):
            model.predict(pandas.DataFrame({"messages": messages[:1], "prompt": ["a"]}))
    assert answers == [row["model_output"] for row in rows]
