"""Conversations with tools and with roles of other formats: what an adapter was trained on is what
its exports are held against, and a call is understood as a row of the data is."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from mlflow import pyfunc

from ft.api import ExportType
from ft.job_protocol.files import ANSWERS_FILE
from ft.job_protocol.variables import SERVED_ADAPTER, SERVED_BASE
from rows.chat import messages
from trainer.data import chat
from trainer.model import manifest
from trainer.serving.predict import Predictor
from trainer.tests.conversations import Made, trained

TRACK = {
    "type": "function",
    "function": {"name": "track", "parameters": {}},
}
CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "track", "arguments": '{"id": 7, "city": "K\u00f6ln"}'},
}
TOOLS = (
    "{% for tool in tools or [] %}Tool: {{ tool | tojson }} {% endfor %}"
    "{% for m in messages %}{{ m.role + ': ' + (m.content or '') }}"
    "{% for call in m.tool_calls or [] %}{{ 'call ' + call.function.name + ' ' }}"
    "{{ call.function.arguments | tojson }}{% endfor %}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)
ROLES = {"human": "user", "gpt": "assistant", "critic": "critic"}
TALK: list[dict[str, Any]] = [
    {
        "role": "user",
        "content": [{"type": "text", "text": "where "}, {"type": "text", "text": "?"}],
    },
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "in transit"},
    {"from": "human", "value": "and now?"},
]
"""Of every form that the field has."""
ANSWER = {"from": "gpt", "value": "on the way"}


def rows() -> list[dict[str, Any]]:
    asked = [{**TALK[0], "content": f"where is {number}?"} for number in range(16)]
    return [{"messages": [one, *TALK[1:], ANSWER], "tools": [TRACK]} for one in asked]


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, fine_tune_flags: Callable[..., str]
) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("tools")
    with trained(folder, rows(), TOOLS, fine_tune_flags, max_steps=2, roles=ROLES) as project:
        yield project


@pytest.fixture(scope="module")
def served(made: Made) -> Predictor:
    return made.serve(made.project)


def test_compared_answers_use_the_tools(made: Made) -> None:
    folder = made.project / made.adapter.location
    recorded = json.loads((folder / ANSWERS_FILE).read_text())
    assert all("Tool: {" in one["input"] for one in recorded["samples"])
    assert all("call track {" in one["input"] for one in recorded["samples"])
    assert manifest.learned_roles(folder) == ROLES


def test_call_is_understood_like_a_row_of_the_data(made: Made, served: Predictor) -> None:
    talk = messages.of(TALK, ROLES)
    text = chat.ask(talk, served._tokenizer, [TRACK])
    assert '"name": "track"' in text
    expected = served.answer({"prompt": text})
    for tools in ([TRACK], json.dumps([TRACK])):
        assert served.answer({"messages": TALK, "tools": tools}) == expected
    assert served.answer({"messages": TALK}) != expected


REFUSED = [
    ([{"role": "user", "content": [{"type": "image_url"}]}], "message 1 has a part of type image"),
    ([{"role": "bot", "content": "a"}], "message 1 has the role bot.*: give it as assistant"),
    ([{"role": "user", "content": None}], "message 1 of user has no content"),
    ([{"role": "user", "content": "a"}, {"role": "assistant"}], "message 2 of assistant has no c"),
    ([{"role": "user", "content": 7}], "message 1 of user has a content that is neither"),
    ([{"content": "a"}], "message 1 has no role"),
    (["a"], "message 1 is not an object with role and content"),
    (
        [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}],
        "message 1 calls f with arguments that are not JSON",
    ),
]


@pytest.mark.parametrize(("talk", "said"), REFUSED)
def test_messages_that_no_training_takes_are_refused(
    served: Predictor, talk: list[Any], said: str
) -> None:
    with pytest.raises(ValueError, match=f"messages: {said}"):
        served.answer({"messages": talk})


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"messages": TALK, "tools": "{"}, "tools is not JSON"),
        ({"messages": TALK, "tools": [{"a": 1}]}, "tools must be a list of objects like"),
        ({"messages": TALK, "tools": 7}, "tools must be a list of objects like"),
        ({"prompt": "a", "tools": [TRACK]}, "tools: cannot be given together with a prompt"),
        ({"tools": [TRACK]}, "prompt: give a text that is not empty"),
    ],
)
def test_invalid_tools_are_refused(served: Predictor, call: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        served.answer(call)


def test_tool_calls_omitted_by_the_chat_template_are_reported_once(made: Made) -> None:
    told_before = len(made.told)
    served = made.serve(made.project)
    talk = [{"role": "user", "content": "hello", "name": "Ann"}]
    for _ in range(2):
        served.answer({"messages": talk})
    told = [one for one in made.told[told_before:] if "chat template" in one]
    assert told == ["Messages of a call have name, which the chat template leaves out."]


@pytest.mark.starts_processes
@pytest.mark.parametrize("type_", [ExportType.MERGED, "model_registry"])
def test_exports_are_compared_with_the_training(
    made: Made, served: Predictor, type_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    tokenizer = type(served._tokenizer)
    write = tokenizer.apply_chat_template

    def writing(self: Any, *args: Any, **kwargs: Any) -> Any:
        text = write(self, *args, **kwargs)
        asked.append(str(text))
        return text

    monkeypatch.setattr(tokenizer, "apply_chat_template", writing)
    run = made.export(type_)

    assert "general texts" not in str(run.of("notice"))
    questions = [text for text in asked if text.endswith("assistant: ")]
    # Both models are asked about the rows as they were trained on.
    assert sum("Tool: {" in text and "call track {" in text for text in questions) >= 16
    if type_ == ExportType.MERGED:
        place = {SERVED_BASE: f"exports/{type_}/model", SERVED_ADAPTER: ""}
        merged = made.serve(made.project, **place)
        # It has the roles of no dataset.
        with pytest.raises(ValueError, match=r"the role human.*: give it as user"):
            merged.answer({"messages": TALK, "tools": [TRACK]})
        return
    expected = served.answer({"messages": TALK, "tools": [TRACK], "max_new_tokens": 12})
    model = pyfunc.load_model("models:/talker/1")
    frame = pandas.DataFrame({"messages": [TALK], "tools": [[TRACK]]})
    assert model.predict(frame, params={"max_new_tokens": 12}) == [expected]
    # As a frame has them that was read from Parquet.
    arrays = pandas.DataFrame({"messages": [numpy.array(TALK)], "tools": [numpy.array([TRACK])]})
    assert model.predict(arrays, params={"max_new_tokens": 12}) == [expected]
    for talk, said in REFUSED:
        with pytest.raises(ValueError, match=f"row 1: messages: {said}"):
            model.predict(pandas.DataFrame({"messages": [talk]}))
    with pytest.raises(ValueError, match="tools: cannot be given together with a prompt"):
        model.predict(pandas.DataFrame({"prompt": ["a"], "tools": [[TRACK]]}))
    _answers_alone(made.project, expected)


ALONE = """
import json, sys
import pandas
from mlflow import pyfunc
talk, tools = json.loads(sys.argv[1])
model = pyfunc.load_model("models:/talker/1")
frame = pandas.DataFrame({"messages": [talk], "tools": [tools]})
written = model.predict(frame, params={"max_new_tokens": 12})
import rows
print(json.dumps([written, rows.__file__]))
"""


def _answers_alone(project: Path, expected: str) -> None:
    """The registered model answers where nothing of the studio is."""
    environment = {name: v for name, v in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run(
        [sys.executable, "-c", ALONE, json.dumps([TALK, [TRACK]])],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    written, of_rows = json.loads(found.stdout.splitlines()[-1])
    assert written == [expected]
    assert Path(of_rows).parent.parent.name == "code"
