"""From a file of conversations, in the formats of the field, to what is trained on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from ft.api import DatasetMetadata, PromptMetadata
from rows import reading
from rows.chat.conversations import roles_of
from rows.errors import DataError
from trainer.data import questions
from trainer.data import texts as data
from trainer.data.chat_tokens import IGNORED
from trainer.model.tokenizer import set_pad_token
from trainer.starter.phrases import HERE
from trainer.tests import chat_templates as templates

ASKED = {"role": "user", "content": "where is it?"}
GOOD = {"role": "assistant", "content": "on the way"}
BAD = {"role": "assistant", "content": "no idea", "weight": 0}
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "track", "arguments": '{"id": 7, "city": "Köln"}'},
        }
    ],
}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "in transit"}
TRACK = {
    "type": "function",
    "function": {
        "name": "track",
        "description": "Finds a parcel.",
        "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}},
    },
}
Train = Callable[..., "Trained"]


class Trained:
    """What a job makes of a file."""

    def __init__(self, made: Any, told: list[str], tokenizer: Any) -> None:
        self.rows, self.told, self._tokenizer = list(made), told, tokenizer

    @property
    def texts(self) -> list[str]:
        return [row[data.TEXT_COLUMN] for row in self.rows]

    def learned(self, row: int = 0) -> str:
        """The tokens that count, as text."""
        return self._tokenizer.decode([one for one in self.rows[row]["labels"] if one != IGNORED])


@pytest.fixture
def tokenizer() -> Any:
    made = AutoTokenizer.from_pretrained(HERE / "model")
    set_pad_token(made)
    return made


@pytest.fixture
def train(tmp_path: Path, tokenizer: Any) -> Train:
    """Reads a file with these rows as a job does, and makes of them what it trains on."""

    def make(
        *rows: dict[str, Any],
        template: str = templates.CHATML,
        roles: dict[str, str] | None = None,
        column: str = "messages",
        **settings: Any,
    ) -> Trained:
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "talks.jsonl").write_text(lines)
        dataset = DatasetMetadata(
            type="project_jsonl",
            name="talks",
            location="talks.jsonl",
            roles=json.dumps(roles) if roles else "",
        )
        loaded = reading.load(dataset, tmp_path, None)["train"]
        tokenizer.chat_template = template
        prompt = PromptMetadata(prompt_template=f"{{{column}}}")
        examples = data.Examples(prompt, settings, tokenizer, loaded, roles_of(dataset))
        told: list[str] = []
        examples.check_rows(loaded, told.append)
        return Trained(examples.of(loaded), told, tokenizer)

    return make


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (
            templates.CHATML,
            "<|im_start|>user\nwhere is it?<|im_end|>\n<|im_start|>assistant\non the way"
            "<|im_end|>\n",
        ),
        (
            templates.LLAMA,
            "<|start_header_id|>user<|end_header_id|>\n\nwhere is it?<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\non the way<|eot_id|>",
        ),
        (templates.MISTRAL, "[INST] where is it? [/INST] on the way<|end|>"),
        (
            templates.TOOLS,
            "<|im_start|>user\nwhere is it?<|im_end|>\n<|im_start|>assistant\non the way"
            "<|im_end|>\n",
        ),
    ],
)
@pytest.mark.parametrize("parts", [False, True])
def test_formats_all_render_the_text_of_the_template(
    train: Train, template: str, text: str, parts: bool
) -> None:
    def said(message: dict[str, Any]) -> dict[str, Any]:
        halves = (message["content"][:4], message["content"][4:])
        content = [{"type": "text", "text": half} for half in halves]
        return {**message, "content": content} if parts else message

    openai = [said(ASKED), said(GOOD)]
    share = [
        {"from": "human" if one["role"] == "user" else "gpt", "value": one["content"]}
        for one in openai
    ]
    roles = {"human": "user", "gpt": "assistant"}

    made = train({"messages": openai}, {"messages": share}, template=template, roles=roles)

    assert made.texts == [text, text]
    assert made.told == []
    assert made.rows[0]["input_ids"] == made.rows[0]["labels"] == made.rows[1]["input_ids"]


def test_tools_and_calls_are_in_the_text(train: Train) -> None:
    absent = {key: value for key, value in CALL.items() if key != "content"}
    talks = [[ASKED, call, RESULT, GOOD] for call in (CALL, absent, {**CALL, "content": ""})]
    rows = [{"messages": talk, "tools": [TRACK]} for talk in talks]
    rows.append({"messages": talks[0], "tools": json.dumps([TRACK])})

    made = train(*rows, template=templates.TOOLS)

    assert len(set(made.texts)) == 1
    assert made.texts[0].startswith(
        f"<|im_start|>system\nTools: {json.dumps(TRACK, ensure_ascii=False)}<|im_end|>\n"
    )
    call = '<|im_start|>assistant\n<tool_call>track {"id": 7, "city": "Köln"}</tool_call><|im_end|>'
    assert call in made.texts[0]
    assert "<|im_start|>tool\nin transit<|im_end|>" in made.texts[0]
    # The id of a call, which this template does not write, is told.
    assert made.told == [
        "4 of 4 conversations have tool_call_id, which the chat template leaves out."
    ]


@pytest.mark.parametrize("way", ["' ' + call.function.arguments", "call.function.arguments"])
def test_arguments_are_json_where_a_template_takes_them_for_text(train: Train, way: str) -> None:
    template = templates.ARGUMENTS_AS_TEXT.replace("ARGUMENTS", way)
    made = train({"messages": [ASKED, CALL, RESULT]}, template=template)
    assert '```json{"id": 7, "city": "Köln"}```' in made.texts[0].replace(" {", "{")


def test_content_omitted_by_a_template_is_reported(train: Train) -> None:
    row = {"messages": [ASKED, CALL, RESULT, GOOD], "tools": [TRACK]}
    made = train(row, {"messages": [ASKED, GOOD]}, template=templates.CHATML)
    told = " ".join(made.told)
    assert "1 of 2 conversations have tools, which the chat template leaves out." in told
    assert "1 of 2 conversations have tool_calls, which the chat template leaves out" in told


def test_role_rendered_as_another_is_reported(train: Train) -> None:
    template = templates.MISTRAL.replace("m.role == 'user'", "m.role != 'assistant'")
    made = train(
        {"messages": [{"role": "system", "content": "be brief"}, ASKED, GOOD]}, template=template
    )
    assert made.told == [
        "1 of 1 conversations have the role system, which the chat template writes as user."
    ]


def test_empty_answers_are_counted(train: Train) -> None:
    empty = {"role": "assistant", "content": " "}
    talks = [[ASKED, empty], [ASKED, GOOD], [ASKED, empty, ASKED, empty]]
    made = train(*({"messages": talk} for talk in talks))
    assert made.told == ["2 of 3 conversations have an empty answer."]


@pytest.mark.parametrize(
    ("template", "of_bad"),
    [
        (templates.CHATML, "no idea<|im_end|>\n"),
        (templates.LLAMA, "no idea<|eot_id|>"),
        (templates.MISTRAL, " no idea<|end|>"),
        (templates.THINKING, "assistant: no idea<|end|>"),
    ],
)
def test_answer_of_weight_0_is_no_label(train: Train, template: str, of_bad: str) -> None:
    whole = [ASKED, BAD, ASKED, GOOD]
    made = train({"messages": whole}, {"messages": [*whole, ASKED, BAD]}, template=template)

    for row, text in enumerate(made.texts):
        assert "no idea" in text
        learned = made.learned(row)
        assert learned == text.replace(of_bad, "")
        assert learned.count("where is it?") == row + 2
        assert "on the way" in learned
    assert "weight" not in " ".join(made.texts)


def test_weights_and_assistant_only_loss_make_the_labels(train: Train) -> None:
    whole = [ASKED, BAD, ASKED, GOOD, ASKED, {**GOOD, "weight": 1, "content": "soon"}]
    made = train({"messages": whole}, template=templates.MARKED, assistant_only_loss=True)
    assert made.learned() == " on the way<|end|> soon<|end|>"


@pytest.mark.parametrize(
    ("talk", "settings", "said"),
    [
        ([ASKED, BAD], {"assistant_only_loss": True}, "every answer has the weight 0"),
        ([ASKED], {"assistant_only_loss": True}, "no message of an assistant"),
        ([{**ASKED, "weight": 0}, GOOD], {}, "message 1 of user has a weight"),
        ([ASKED, {**GOOD, "weight": 0.5}], {}, "message 2 has the weight 0.5: it must be 0 or 1"),
        (
            [ASKED, {**GOOD, "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
            {},
            "message 2 has a part of type image_url: only parts of type text",
        ),
        ([ASKED, {"role": "assistant", "content": None}], {}, "message 2 of assistant has no"),
        ([ASKED, {"role": "assistant"}], {}, "message 2 of assistant has no content"),
        ([ASKED, {"role": "assistant", "function_call": {"name": "x"}}], {}, "no tool_calls"),
        ([{"role": "user", "content": None}, GOOD], {}, "message 1 of user has no content"),
        ([{"role": "human", "content": "a"}, GOOD], {}, "--roles human=user,gpt=assistant"),
        ([{"from": "gpt", "value": "a"}], {}, "--roles human=user,gpt=assistant"),
        ([{"from": "bot", "value": "a"}], {}, "--roles bot=assistant"),
        ([ASKED, {**CALL, "role": "user"}], {}, "only an assistant can have"),
        (
            [ASKED, {**CALL, "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}],
            {},
            "calls f with arguments that are not JSON",
        ),
    ],
)
def test_row_that_cannot_be_used_is_named(
    train: Train, talk: list[Any], settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match="Row 2 of the training rows or of the held-out") as refused:
        train(
            {"messages": [ASKED, GOOD]}, {"messages": talk}, template=templates.MARKED, **settings
        )
    assert said in str(refused.value)


@pytest.mark.parametrize("first", [{"role": "assistant"}, {"role": "user", "name": "x"}])
def test_empty_first_row_does_not_make_all_rows_text(train: Train, first: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"Row 1 .*message 2 of .* has no content"):
        train({"messages": [ASKED, first]}, {"messages": [ASKED, GOOD]})


def test_template_that_hides_where_an_answer_ends_is_refused(train: Train) -> None:
    with pytest.raises(DataError, match="message 2 has the weight 0, but the chat template writes"):
        train({"messages": [ASKED, BAD, ASKED, GOOD]}, template=templates.LAST_USER)


def test_template_refusal_of_a_role_is_reported_with_the_row(train: Train) -> None:
    rows = [{"messages": [ASKED, GOOD]}, {"messages": [{"role": "system", "content": "x"}, ASKED]}]
    with pytest.raises(DataError, match=r"Row 2 .*Only user and assistant roles are supported"):
        train(*rows, template=templates.MISTRAL)


def test_keys_that_only_some_messages_have_stay_absent(train: Train) -> None:
    keys = "{% for m in messages %}{{ m.keys() | list | join(',') + ';' }}{% endfor %}"
    named = {**ASKED, "name": "Ann", "extra": {"a": 1}}
    other = {**ASKED, "extra": {"b": None}}
    made = train({"messages": [named, GOOD]}, {"messages": [other, CALL, RESULT]}, template=keys)
    assert made.texts == [
        "role,content,name,extra;role,content;",
        "role,content,extra;role,content,tool_calls;role,content,tool_call_id;",
    ]


def test_evaluation_uses_the_tools(train: Train, tokenizer: Any) -> None:
    from datasets import Dataset

    from rows.cell_types import dataset_of
    from rows.chat.conversations import Conversations

    talk = [ASKED, CALL, RESULT, GOOD]
    made = train({"messages": talk, "tools": [TRACK]}, template=templates.TOOLS)
    rows: Dataset = dataset_of("messages", [talk, talk]).add_column(
        "tools", [json.dumps([TRACK]), None]
    )
    asked = questions.of_rows(PromptMetadata(), rows, Conversations("messages"), tokenizer)
    answer = "on the way<|im_end|>\n"
    assert asked.texts[0] + answer == made.texts[0]
    assert asked.expected == ["on the way"] * 2
    assert "Tools:" not in asked.texts[1]
    told: list[str] = []
    tokenizer.chat_template = templates.CHATML
    questions.check_rows(rows, Conversations("messages"), tokenizer, told.append)
    assert "1 of 2 conversations have tools, which the chat template leaves out." in told


NUMBERS = (
    "1.10, 9007199254740993, 123456789012345678901234567890.5, 1E5, 0.1000000000000000055511, -0"
)


@pytest.mark.parametrize("answers_only", [False, True])
def test_numbers_in_tools_and_arguments_are_as_in_the_file(
    tmp_path: Path, tokenizer: Any, answers_only: bool
) -> None:
    call = f'{{"type": "function", "function": {{"name": "t", "arguments": {{"n": [{NUMBERS}]}}}}}}'
    tool = f'{{"type": "function", "function": {{"name": "t", "enum": [{NUMBERS}], "é": "1.10"}}}}'
    talk = (
        '[{"role": "user", "content": "go"}, '
        f'{{"role": "assistant", "content": "ok", "tool_calls": [{call}]}}]'
    )
    (tmp_path / "d.jsonl").write_text(f'{{"messages": {talk}, "tools": [{tool}]}}\n')
    about = DatasetMetadata(type="project_jsonl", name="d", location="d.jsonl")
    rows = reading.load(about, tmp_path, None)["train"]
    answer = "{{ m.content or '' }}{% for call in m.tool_calls or [] %}"
    answer += "{{ call.function.arguments | tojson }}{% endfor %}"
    tokenizer.chat_template = (
        "{% for tool in tools %}{{ tool | tojson }}{% endfor %}{% for m in messages %}"
        "{% if m.role == 'assistant' %}{% generation %}" + answer + "{% endgeneration %}"
        "{% else %}{{ m.content }}{% endif %}{% endfor %}"
    )
    prompt = PromptMetadata(prompt_template="{messages}")
    settings = {"assistant_only_loss": answers_only}
    examples = data.Examples(prompt, settings, tokenizer, rows, roles_of(about))
    made = Trained(examples.of(rows), [], tokenizer)
    for text in (made.texts[0], tokenizer.decode(made.rows[0]["input_ids"])):
        assert text.startswith(f"{tool}go")
        assert f'ok{{"n": [{NUMBERS}]}}' in text
