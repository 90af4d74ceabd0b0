"""What is found about the way in which a job trains."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from ft.proto.inspection_pb2 import InspectJobRequest, InspectJobResponse
from services.inspection.tests.conftest import STARTER, job, rules

Inspect = Callable[[InspectJobRequest], Awaitable[InspectJobResponse]]

ASKED, ANSWERED = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}
PLAIN = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no systems') }}"
    "{% endif %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}"
)
MARKED = "{% for m in messages %}{%- generation %}{{ m.content }}{% endgeneration -%}{% endfor %}"


@pytest.fixture
def talks(project: Path) -> Callable[..., str]:
    """Writes a dataset of conversations, and the chat template that the model has for them."""

    def write(*talks: Any, template: str | list[dict[str, str]] | None = PLAIN) -> str:
        lines = [json.dumps({"messages": talk, "n": n}) for n, talk in enumerate(talks)]
        (project / "d.jsonl").write_text("\n".join(lines))
        file = project / "model/tokenizer_config.json"
        config = json.loads(file.read_text())
        file.write_text(json.dumps({**config, "chat_template": template}))
        return "d.jsonl"

    return write


async def found(inspect: Inspect, location: str, **training: Any) -> InspectJobResponse:
    return await inspect(job(location, "{messages}", training_arguments_json=training))


async def test_conversations_are_counted_as_the_chat_template_renders_them(
    inspect: Inspect, talks: Callable[..., str]
) -> None:
    response = await found(inspect, talks([ASKED, ANSWERED], [ASKED, ANSWERED, ASKED]))

    assert rules(response).keys() & {"FT-856", "FT-858", "FT-871", "FT-872"} == set()
    counted = Tokenizer.from_file(str(STARTER / "model/tokenizer.json")).encode_batch(
        [
            "user: hi<|end|>assistant: hello<|end|>",
            "user: hi<|end|>assistant: hello<|end|>user: hi<|end|>",
        ]
    )
    assert response.data.tokens == sum(len(one.ids) for one in counted)


BAD = {"role": "assistant", "content": "no", "weight": 0}
LAST = PLAIN.replace("{{ eos_token }}", "{% if loop.last %} (last){% endif %}{{ eos_token }}")


@pytest.mark.parametrize(
    ("talk", "template", "training", "said"),
    [
        ([ASKED, BAD, ASKED, ANSWERED], PLAIN, {}, ""),
        ([ASKED, BAD], PLAIN, {}, ""),
        ([ASKED, BAD, ASKED, ANSWERED], LAST, {}, "message 2 has the weight 0, but the chat"),
        ([ASKED, BAD], MARKED, {"assistant_only_loss": True}, "every answer has the weight 0"),
        ([ASKED], MARKED, {"assistant_only_loss": True}, "no message of an assistant"),
        ([{**ASKED, "role": "human"}, ANSWERED], PLAIN, {}, "--roles human=user,gpt=assistant"),
        ([ASKED, {**ANSWERED, "content": [{"type": "image"}]}], PLAIN, {}, "part of type image"),
        (
            [ASKED, {"role": "assistant", "content": None}],
            PLAIN,
            {},
            "no content and no tool_calls",
        ),
    ],
)
async def test_conversations_that_a_job_refuses_are_reported(
    inspect: Inspect,
    talks: Callable[..., str],
    talk: Any,
    template: str,
    training: dict[str, Any],
    said: str,
) -> None:
    location = talks([ASKED, ANSWERED], talk, template=template)
    response = await found(inspect, location, **training)
    told = [one for one in response.findings if one.rule == "FT-872" and one.severity == "ERROR"]
    assert [list(one.places) for one in told] == ([["line 2"]] if said else [])
    assert said in "".join(one.description for one in told)


async def test_content_that_a_chat_template_omits_is_reported(
    inspect: Inspect, talks: Callable[..., str]
) -> None:
    call = {"function": {"name": "f", "arguments": "{}"}}
    calling = {"role": "assistant", "content": None, "tool_calls": [call]}
    empty = {"role": "assistant", "content": ""}
    location = talks([ASKED, calling, ASKED, ANSWERED], [ASKED, empty], [ASKED, ANSWERED])

    response = await found(inspect, location)

    told = {one.description: list(one.places) for one in response.findings if one.rule == "FT-886"}
    assert told == {
        "1 of 3 rows have tool_calls, which the chat template leaves out": ["line 1"],
        "1 of 3 rows have an empty answer": ["line 2"],
    }


@pytest.mark.parametrize(
    "template",
    [[{"name": "default", "template": PLAIN}, {"name": "rag", "template": "-"}], None],
)
async def test_chat_template_is_found_in_each_of_its_places(
    inspect: Inspect, talks: Callable[..., str], project: Path, template: Any
) -> None:
    location = talks([ASKED, ANSWERED], template=template)
    if template is None:
        (project / "model/chat_template.jinja").write_text(PLAIN)

    assert (await found(inspect, location)).data.tokens > 5


@pytest.mark.parametrize(
    ("template", "said"), [(None, "has no chat template"), ("{% if %}", "is malformed")]
)
async def test_conversations_need_a_chat_template(
    inspect: Inspect, talks: Callable[..., str], template: str | None, said: str
) -> None:
    location = talks([ASKED, ANSWERED], template=template)

    response = await found(inspect, location)

    [finding] = [one for one in response.findings if one.rule == "FT-871"]
    assert (finding.severity, finding.field) == ("ERROR", "base_model_id")
    assert said in finding.description
    if template is None:
        assert "set chat_template_path to" in finding.description


PERSON = {"role": "human", "content": "hi"}


@pytest.mark.parametrize(
    ("path", "rule", "said"),
    [
        ("nochat.jinja", "FT-131", "'nochat.jinja' is not an existing file in the project dir"),
        ("../other.jinja", "FT-131", "lies outside the project directory"),
        ("/etc/../other.jinja", "FT-131", "lies outside the project directory"),
        ("../tokenizer", "FT-131", "lies outside the project directory"),
        ("some/where/else", "FT-131", "no directory in the project directory"),
        ("folder.jinja", "FT-131", "is not an existing file"),
        ("bare", "FT-871", "is a tokenizer that has no chat template"),
        ("broken.jinja", "FT-871", "is malformed"),
        ("bytes.jinja", "FT-871", "cannot be read"),
    ],
)
async def test_unreadable_chat_template_path_is_reported(
    inspect: Inspect,
    talks: Callable[..., str],
    project: Path,
    path: str,
    rule: str,
    said: str,
) -> None:
    (project / "bare").mkdir()
    (project / "folder.jinja").mkdir()
    (project.parent / "other.jinja").write_text(PLAIN)
    (project / "broken.jinja").write_text("{% if %}")
    (project / "bytes.jinja").write_bytes(b"\xff")
    location = talks([PERSON, ANSWERED], [ASKED, ANSWERED])

    response = await found(inspect, location, chat_template_path=path)

    [finding] = [one for one in response.findings if one.rule == rule]
    assert (finding.severity, finding.field) == ("ERROR", "training_arguments_config")
    assert path in finding.description
    assert said in finding.description
    # Roles and form do not need a template.
    [wrong] = [one for one in response.findings if one.rule == "FT-872" and one.rows]
    assert (wrong.severity, list(wrong.places)) == ("ERROR", ["line 1"])
    assert "human=user" in wrong.description


@pytest.mark.parametrize("path", ["chat/of our.jinja", "other", "./other"])
async def test_conversations_use_the_chat_template_of_the_settings(
    inspect: Inspect, talks: Callable[..., str], project: Path, path: str
) -> None:
    file = project / (path if path.endswith(".jinja") else "other/chat_template.jinja")
    file.parent.mkdir()
    file.write_text(PLAIN)
    location = talks(
        [{"role": "system", "content": "hi"}, ASKED], [ASKED, ANSWERED], template="never"
    )

    response = await found(inspect, location, chat_template_path=path)

    [finding] = [one for one in response.findings if one.severity == "ERROR"]
    assert (finding.rule, list(finding.places)) == ("FT-872", ["line 1"])
    assert "no systems" in finding.description
    assert response.data.tokens > 5


async def test_text_data_needs_the_chat_template_of_the_settings_too(
    inspect: Inspect, project: Path
) -> None:
    (project / "d.csv").write_text("a\nb\n")
    response = await inspect(
        job("d.csv", training_arguments_json={"chat_template_path": "nochat.jinja"})
    )
    assert rules(response)["FT-131"] == "ERROR"


@pytest.mark.parametrize("kind", ["fine_tuning", "evaluation"])
@pytest.mark.parametrize("tokenizer", [True, False])
async def test_roles_are_checked_without_a_chat_template(
    inspect: Inspect, talks: Callable[..., str], project: Path, kind: str, tokenizer: bool
) -> None:
    location = talks([PERSON, ANSWERED], [PERSON, ANSWERED], template=None)
    if not tokenizer:
        (project / "model/tokenizer.json").unlink()
    request = job(location, "{messages}", kind=kind, alone=True, train_test_split=0.5)
    request.prompt.completion_template = "{messages}"
    if kind == "fine_tuning":
        request.train_test_split = 1.0

    response = await inspect(request)

    assert [one.severity for one in response.findings if one.rule == "FT-872"] == ["ERROR"]
    assert ("FT-871" in rules(response)) == tokenizer
    assert response.data.tokens == 0


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        ([{"role": "system", "content": "hi"}], "no systems"),
        ([], "no list of messages"),
    ],
)
async def test_rows_that_cannot_be_rendered_are_named(
    inspect: Inspect, talks: Callable[..., str], talk: Any, said: str
) -> None:
    response = await found(inspect, talks([ASKED], talk))

    [finding] = [one for one in response.findings if one.rule == "FT-872"]
    assert (finding.severity, list(finding.places)) == ("ERROR", ["line 2"])
    assert said in finding.description


async def test_assistant_only_loss_needs_conversations_and_marks(
    inspect: Inspect, talks: Callable[..., str]
) -> None:
    plain = await found(inspect, talks([ASKED, ANSWERED]), assistant_only_loss=True)
    assert rules(plain)["FT-873"] == "WARNING"
    marked = talks([ASKED, ANSWERED], template=MARKED)
    assert "FT-873" not in rules(await found(inspect, marked, assistant_only_loss=True))
    of_texts = job(marked, "{n}", training_arguments_json={"assistant_only_loss": True})
    assert rules(await inspect(of_texts))["FT-873"] == "ERROR"


async def test_evaluation_during_training_needs_held_out_rows(
    inspect: Inspect, talks: Callable[..., str]
) -> None:
    location = talks([ASKED], [ASKED])
    training = {"eval_strategy": "steps"}
    assert rules(await found(inspect, location, **training))["FT-870"] == "ERROR"
    half = job(location, "{n}", train_test_split=0.5, training_arguments_json=training)
    assert "FT-870" not in rules(await inspect(half))


async def test_adapter_targets_layers_of_the_model(
    inspect: Inspect, talks: Callable[..., str]
) -> None:
    location = talks([ASKED])
    for targets, severity in ((["c_attn"], "ERROR"), (["q_proj"], None), ("all-linear", None)):
        request = job(location, "{n}", lora_config_json={"target_modules": targets})
        assert rules(await inspect(request)).get("FT-874") == severity
