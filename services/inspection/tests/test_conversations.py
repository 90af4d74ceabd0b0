"""What is found about conversations that are evaluated."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from ft.proto.fine_tuning_studio_pb2 import AdapterMetadata, PromptMetadata
from ft.proto.inspection_pb2 import InspectJobRequest, InspectJobResponse
from services.inspection.tests.conftest import STARTER, job, rules

Inspect = Callable[[InspectJobRequest], Awaitable[InspectJobResponse]]

ASKED, ANSWERED = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}
TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}"
    "{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
ADAPTER = AdapterMetadata(id="a", name="tuned", type="project", location="adapter")
ON_HUB = AdapterMetadata(id="h", name="hubs", type="huggingface", huggingface_name="o/n")


@pytest.fixture
def adapter(project: Path) -> Path:
    folder = project / "adapter"
    folder.mkdir()
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


@pytest.fixture
def evaluation(project: Path) -> Callable[..., InspectJobRequest]:
    """Scores conversations, of which the first one is trained on."""

    def write(*talks: Any, completion: str = "{messages}", **changes: Any) -> InspectJobRequest:
        (project / "d").mkdir()
        first = [{"role": "user", "content": "trained"}, ANSWERED]
        for name, rows in (("train", [first]), ("test", talks)):
            lines = [json.dumps({"messages": talk, "n": n}) for n, talk in enumerate(rows)]
            (project / "d" / f"{name}.jsonl").write_text("\n".join(lines))
        prompt = PromptMetadata(
            prompt_template="{messages}",
            input_template="{messages}",
            completion_template=completion,
        )
        return job("d", kind="evaluation", prompt=prompt, **changes)

    return write


@pytest.mark.usefixtures("adapter")
async def test_conversations_are_counted_as_an_evaluation_uses_them(
    inspect: Inspect, evaluation: Callable[..., InspectJobRequest]
) -> None:
    response = await inspect(evaluation([ASKED, ANSWERED], adapters=[ADAPTER]))

    assert rules(response).keys() & {"FT-640", "FT-856", "FT-871", "FT-872"} == set()
    text = "user: hi<|end|>assistant: "
    counted = Tokenizer.from_file(str(STARTER / "model/tokenizer.json")).encode(text)
    assert response.data.tokens == len(counted.ids)


@pytest.mark.usefixtures("adapter")
async def test_conversations_that_cannot_be_evaluated_are_reported(
    inspect: Inspect, evaluation: Callable[..., InspectJobRequest]
) -> None:
    talks = ([ASKED, ANSWERED], [ASKED, ANSWERED, ASKED], [{**ASKED, "content": None}])
    refused = [{"role": "tool", "content": "x"}, ANSWERED]

    response = await inspect(evaluation(*talks, refused, adapters=[ADAPTER]))

    found = {one.rule: one for one in response.findings}
    broken, left_out = found["FT-872"], found["FT-640"]
    assert (broken.severity, broken.rows) == ("ERROR", 2)
    assert list(broken.places) == ["line 3", "line 4"]
    assert "asked about" in broken.description
    assert (left_out.severity, left_out.rows) == ("WARNING", 1)
    assert response.data.used_rows == 3


@pytest.mark.usefixtures("adapter")
@pytest.mark.parametrize(
    ("asking", "severity"),
    [
        ({"adapters": [ADAPTER]}, None),
        ({"alone": True, "comparison_adapter": ADAPTER}, None),
        ({"alone": True, "adapters": [ADAPTER]}, "ERROR"),
        ({"alone": True}, "ERROR"),
        ({"adapters": [AdapterMetadata(name="n", type="project", location="no")]}, "ERROR"),
    ],
)
async def test_evaluated_models_need_a_chat_template(
    inspect: Inspect,
    evaluation: Callable[..., InspectJobRequest],
    asking: dict[str, Any],
    severity: str | None,
) -> None:
    response = await inspect(evaluation([ASKED, ANSWERED], **asking))
    assert rules(response).get("FT-871") == severity


@pytest.mark.parametrize(
    ("template", "rule", "told"),
    [
        (b"{{ '' }}", "FT-872", "writes nothing"),
        (b"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "FT-872", "recursion"),
        (b"{{ " + b"(" * 3000 + b"1" + b")" * 3000 + b" }}", "FT-871", "malformed"),
        (b"\xff", "FT-871", "cannot be read"),
    ],
)
async def test_unusable_chat_template_is_reported(
    inspect: Inspect,
    evaluation: Callable[..., InspectJobRequest],
    adapter: Path,
    template: bytes,
    rule: str,
    told: str,
) -> None:
    (adapter / "chat_template.jinja").write_bytes(template)

    response = await inspect(evaluation([ASKED, ANSWERED], adapters=[ADAPTER]))

    [found] = [one for one in response.findings if one.rule == rule]
    assert found.severity == "ERROR"
    assert told in found.description


async def test_chat_template_on_the_hub_is_left_to_the_job(
    inspect: Inspect, evaluation: Callable[..., InspectJobRequest]
) -> None:
    response = await inspect(evaluation([ASKED, ANSWERED], adapters=[ON_HUB]))
    assert rules(response)["FT-872"] == "NOTICE"
    assert "FT-871" not in rules(response)


async def test_expected_text_is_the_last_answer(
    inspect: Inspect, evaluation: Callable[..., InspectJobRequest]
) -> None:
    response = await inspect(evaluation([ASKED, ANSWERED], completion="{n}", adapters=[ADAPTER]))

    [finding] = [one for one in response.findings if one.rule == "FT-852"]
    assert (finding.severity, finding.field) == ("ERROR", "prompt_id")
    assert "completion_template must be {messages} too" in finding.description


@pytest.mark.usefixtures("adapter")
async def test_answer_of_weight_0_is_left_out_and_reported(
    inspect: Inspect, evaluation: Callable[..., InspectJobRequest]
) -> None:
    talks = ([ASKED, ANSWERED], [ASKED, {**ANSWERED, "weight": 0}])

    response = await inspect(evaluation(*talks, adapters=[ADAPTER]))

    left_out = next(one for one in response.findings if one.rule == "FT-640")
    assert (left_out.severity, left_out.rows) == ("WARNING", 1)
    assert "or that answer has weight 0" in left_out.description
    assert response.data.used_rows == 1


@pytest.mark.parametrize("kind", ["evaluation", "fine_tuning"])
async def test_broken_roles_of_a_record_are_reported(
    inspect: Inspect, evaluation: Callable[..., InspectJobRequest], kind: str
) -> None:
    request = evaluation([ASKED, ANSWERED])
    request.kind, request.dataset.roles = kind, "human=user"

    response = await inspect(request)

    [found] = [one for one in response.findings if one.severity == "ERROR"]
    assert (found.field, found.rule) == ("dataset_id", "FT-851")
    assert "are not a JSON object of texts" in found.description
