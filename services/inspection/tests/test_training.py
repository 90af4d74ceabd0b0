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


async def test_conversations_are_counted_as_the_chat_template_writes_them(
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
        ([ASKED], MARKED, {"assistant_only_loss": True}, "no assistant speaks"),
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
async def test_what_a_job_refuses_is_told_before_it(
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


async def test_what_a_chat_template_leaves_out_is_told_before_a_job(
    inspect: Inspect, talks: Callable[..., str]
) -> None:
    call = {"function": {"name": "f", "arguments": "{}"}}
    calling = {"role": "assistant", "content": None, "tool_calls": [call]}
    empty = {"role": "assistant", "content": ""}
    location = talks([ASKED, calling, ASKED, ANSWERED], [ASKED, empty], [ASKED, ANSWERED])

    response = await found(inspect, location)

    told = {one.description: list(one.places) for one in response.findings if one.rule == "FT-886"}
    assert told == {
        "1 of 3 rows have tool_calls, of which the chat template writes nothing": ["line 1"],
        "1 of 3 rows have an empty answer": ["line 2"],
    }


@pytest.mark.parametrize(
    "template",
    [[{"name": "default", "template": PLAIN}, {"name": "rag", "template": "-"}], None],
)
async def test_where_a_chat_template_may_stand(
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
    # One that the settings name is looked at by the job.
    response = await found(inspect, location, chat_template_path="other.jinja")
    assert "FT-871" not in rules(response)
    assert rules(response)["FT-872"] == "NOTICE"


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        ([{"role": "system", "content": "hi"}], "no systems"),
        ([], "no list of messages"),
    ],
)
async def test_rows_that_cannot_be_written_out_are_named(
    inspect: Inspect, talks: Callable[..., str], talk: Any, said: str
) -> None:
    response = await found(inspect, talks([ASKED], talk))

    [finding] = [one for one in response.findings if one.rule == "FT-872"]
    assert (finding.severity, list(finding.places)) == ("ERROR", ["line 2"])
    assert said in finding.description


async def test_answers_alone_need_conversations_and_marks(
    inspect: Inspect, talks: Callable[..., str]
) -> None:
    plain = await found(inspect, talks([ASKED, ANSWERED]), assistant_only_loss=True)
    assert rules(plain)["FT-873"] == "WARNING"
    marked = talks([ASKED, ANSWERED], template=MARKED)
    assert "FT-873" not in rules(await found(inspect, marked, assistant_only_loss=True))
    of_texts = job(marked, "{n}", training_arguments_json={"assistant_only_loss": True})
    assert rules(await inspect(of_texts))["FT-873"] == "ERROR"


async def test_evaluations_need_rows_that_are_held_out(
    inspect: Inspect, talks: Callable[..., str]
) -> None:
    location = talks([ASKED], [ASKED])
    training = {"eval_strategy": "steps"}
    assert rules(await found(inspect, location, **training))["FT-870"] == "ERROR"
    half = job(location, "{n}", train_test_split=0.5, training_arguments_json=training)
    assert "FT-870" not in rules(await inspect(half))


async def test_an_adapter_lies_on_layers_of_the_model(
    inspect: Inspect, talks: Callable[..., str]
) -> None:
    location = talks([ASKED])
    for targets, severity in ((["c_attn"], "ERROR"), (["q_proj"], None), ("all-linear", None)):
        request = job(location, "{n}", lora_config_json={"target_modules": targets})
        assert rules(await inspect(request)).get("FT-874") == severity
