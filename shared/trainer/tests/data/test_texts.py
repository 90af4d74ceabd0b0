"""Training examples of rows."""

import pytest
from datasets import Dataset
from transformers import AutoTokenizer

from ft.api import PromptMetadata
from rows.errors import DataError
from rows.templates import fill, training_text
from trainer.data import texts
from trainer.errors import SettingsError
from trainer.model.tokenizer import set_pad_token
from trainer.starter.phrases import HERE

CHATML = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}{{ eos_token }}\n{% endfor %}"
MARKED = (
    "{% for m in messages %}{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'] }}"
    "{{ eos_token }}{% endgeneration %}{% else %}{{ m['content'] }}\n{% endif %}{% endfor %}"
)
TALK = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]


@pytest.fixture
def tokenizer():
    made = AutoTokenizer.from_pretrained(HERE / "model")
    set_pad_token(made)
    return made


def prompt(whole: str, beginning: str = "-", completion: str = "-") -> PromptMetadata:
    return PromptMetadata(
        prompt_template=whole, input_template=beginning, completion_template=completion
    )


def examples(rows: Dataset, about: PromptMetadata, tokenizer, **settings) -> Dataset:
    return texts.Examples(about, settings, tokenizer, rows).of(rows)


def test_text_is_the_one_that_inspection_sees(tokenizer) -> None:
    rows = Dataset.from_dict({"a": ["x", None], "b": [1, 2]})

    made = examples(rows, prompt("{a}-{b}"), tokenizer)

    end = tokenizer.eos_token
    assert made.column_names == [texts.TEXT_COLUMN]
    assert made[texts.TEXT_COLUMN] == [training_text(fill("{a}-{b}", row), end) for row in rows]
    assert made[texts.TEXT_COLUMN] == [f"x-1{end}", f"-2{end}"]


def test_completion_is_apart_from_what_comes_before_it(tokenizer) -> None:
    rows = Dataset.from_dict({"a": ["x"], "b": ["y"]})

    made = examples(
        rows, prompt("A: {a} B: {b}", "A: {a} B:", " {b}"), tokenizer, completion_only_loss=True
    )

    assert made[0] == {"prompt": "A: x B:", "completion": f" y{tokenizer.eos_token}"}


@pytest.mark.parametrize(
    ("templates", "said"),
    [
        (("A: {a} B: {b}", "A: {a}", " {b}"), "followed by its completion_template"),
        (("A: {a} B: {b}", "A: {a} B: ", "{b}"), "does not end in a space"),
    ],
)
def test_templates_that_do_not_fit_a_completion_are_refused(tokenizer, templates, said) -> None:
    rows = Dataset.from_dict({"a": ["x"], "b": ["y"]})
    with pytest.raises(SettingsError, match=said):
        examples(rows, prompt(*templates), tokenizer, completion_only_loss=True)


def test_tokens_that_merge_at_the_completion_are_reported(tokenizer) -> None:
    rows = Dataset.from_dict({"a": ["custo"], "b": ["mer"]})
    notices: list[str] = []

    made = texts.Examples(
        prompt("{a}{b}", "{a}", "{b}"), {"completion_only_loss": True}, tokenizer, rows
    )
    made.check(made.of(rows), notices.append)

    assert "In 1 of 1 rows" in notices[0]


def test_column_of_conversations_is_handed_over_as_it_is(tokenizer) -> None:
    tokenizer.chat_template = CHATML
    rows = Dataset.from_dict({"talk": [TALK], "other": [1]})

    made = examples(rows, prompt("{talk}"), tokenizer)[0]

    end = tokenizer.eos_token
    assert made["messages"] == TALK
    assert made[texts.TEXT_COLUMN] == f"user: hi{end}\nassistant: hello{end}\n"
    assert tokenizer.decode(made["input_ids"]) == made[texts.TEXT_COLUMN]
    assert made["labels"] == made["input_ids"]
    # Only alone: within a text it is a value like any other.
    assert texts.TEXT_COLUMN in examples(rows, prompt("Say {talk}"), tokenizer).column_names


@pytest.mark.parametrize(
    ("template", "settings", "said"),
    [
        (None, {}, "has no chat template"),
        (CHATML, {"completion_only_loss": True}, "completion_only_loss is for texts"),
        (CHATML, {"assistant_only_loss": True}, "marks the answers with {% generation %}"),
    ],
)
def test_untrainable_conversations_are_refused(tokenizer, template, settings, said) -> None:
    tokenizer.chat_template = template
    rows = Dataset.from_dict({"messages": [TALK]})
    with pytest.raises(SettingsError) as caught:
        examples(rows, prompt("{messages}"), tokenizer, **settings)
    assert said in str(caught.value)


def test_assistant_only_loss_needs_conversations(tokenizer) -> None:
    rows = Dataset.from_dict({"a": ["x"]})
    with pytest.raises(SettingsError, match="assistant_only_loss is for conversations"):
        examples(rows, prompt("{a}"), tokenizer, assistant_only_loss=True)


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        ([], "no list of messages"),
        ([{"role": "user", "content": None}], "column talk: message 1 of user has no content"),
        ([{"role": "user", "content": "hi"}], "no message of an assistant"),
    ],
)
def test_row_without_a_conversation_is_named(tokenizer, talk, said) -> None:
    tokenizer.chat_template = MARKED
    rows = Dataset.from_dict({"talk": [TALK, talk]})
    with pytest.raises(DataError, match=f"Row 2 .*{said}"):
        examples(rows, prompt("{talk}"), tokenizer, assistant_only_loss=True)


def test_chat_template_refusal_of_a_row_is_reported(tokenizer) -> None:
    tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"
    rows = Dataset.from_dict({"talk": [TALK]})
    with pytest.raises(DataError, match=r"Row 1 .*roles must alternate"):
        examples(rows, prompt("{talk}"), tokenizer)


def test_chat_template_that_never_ends_an_answer_is_reported(tokenizer) -> None:
    notices: list[str] = []
    rows = Dataset.from_dict({"talk": [TALK]})
    for template in ("{{ messages[0]['content'] }}", CHATML):
        tokenizer.chat_template = template
        made = texts.Examples(prompt("{talk}"), {}, tokenizer, rows)
        made.check(made.of(rows), notices.append)
    assert len(notices) == 1
    assert "will not learn to stop" in notices[0]


def test_chat_template_may_come_from_a_file(tokenizer, tmp_path) -> None:
    rows = Dataset.from_dict({"talk": [TALK]})
    file = tmp_path / "chat.jinja"
    with pytest.raises(SettingsError, match=f"chat_template_path {file} cannot be read"):
        examples(rows, prompt("{talk}"), tokenizer, chat_template_path=str(file))
    file.write_text(CHATML)
    assert examples(rows, prompt("{talk}"), tokenizer, chat_template_path=str(file))
    assert tokenizer.chat_template == CHATML


def test_evaluation_during_training_needs_held_out_rows() -> None:
    none = Dataset.from_dict({"a": []})
    with pytest.raises(DataError, match="eval_strategy epoch needs rows"):
        texts.check_held_out(none, {"eval_strategy": "epoch"})
    texts.check_held_out(none, {})


@pytest.mark.parametrize(("end", "told"), [("assistant: ", True), ("assistant:", False)])
def test_chat_template_that_prompts_with_untaught_tokens_is_reported(
    tokenizer, end: str, told: bool
) -> None:
    ask = f"{{% if add_generation_prompt %}}{end}{{% endif %}}"
    tokenizer.chat_template = CHATML + ask
    rows = Dataset.from_list([{"talk": TALK}, {"talk": TALK[:1]}])
    made = texts.Examples(prompt("{talk}"), {}, tokenizer, rows)
    notices: list[str] = []
    made.check(made.of(rows), notices.append)
    assert any(notice.startswith("In 1 of 1 rows, the ") for notice in notices) is told
