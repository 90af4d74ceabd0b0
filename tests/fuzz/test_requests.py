"""No request, however made, gets more out of the studio than a clear answer."""

import os
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import psutil
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ft import api, services
from ft.client import FineTuningStudioClient, StudioError
from ft.services import STUDIO
from tests.contract.unset import names_a_field
from tests.e2e.conftest import Studio
from tests.fuzz.conftest import EXAMPLES
from tests.fuzz.requests import Requests
from tests.support import REPOSITORY

METHODS = list(services.METHODS.values())
NEVER = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED)
AWAY_FOR_GOOD_REASON = ("HUB_UNAVAILABLE",)
"""The tests' hub is no hub at all."""
CALL_SECONDS = 30.0
WARM_UP = 500
MAX_GROWTH_BYTES = 96 * 1024 * 1024
"""What a process may grow by after the first requests: it keeps what it was given to keep."""
IMPORTS = ("ImportDatabase", "ImportDocument")
GENERAL_RULES = {"FT-002", "FT-003", "FT-004", "FT-120"}
DOCUMENTED = tomllib.loads((REPOSITORY / "docs/api/errors.toml").read_text())
RULE = re.compile(r"FT-\d{3}")
FUZZ = settings(
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
    database=None,
    print_blob=True,
    # The short form sends the same requests each time: what it has passed, it passes again.
    derandomize="FTS_FUZZ_EXAMPLES" not in os.environ,
)


class Target:
    """A client of the studio and requests that it would take."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.client: FineTuningStudioClient = studio.client()
        self.valid = {type(r).DESCRIPTOR.name: r for r in self._register()}
        known = [self.model, self.dataset, "p-1", *(a.id for a in self.client.get_adapters())]
        self.requests = Requests(known)

    def _register(self) -> Iterator[Message]:
        client = self.client
        model = api.AddModelRequest(type="project", location="starter/model", name="m")
        self.model = client.AddModel(model).model.id
        dataset = api.AddDatasetRequest(type="project_csv", location="rows.csv", name="d")
        self.dataset = client.AddDataset(dataset).dataset.id
        templates = dict.fromkeys(
            ("prompt_template", "input_template", "completion_template"), "{customer}"
        )
        prompt = api.AddPromptRequest(
            prompt=api.PromptMetadata(id="p-1", name="p", dataset_id=self.dataset, **templates)
        )
        client.AddPrompt(prompt)
        (self.studio.project / "adapter").mkdir()
        adapter = api.AddAdapterRequest(name="a", model_id=self.model, location="adapter")
        client.AddAdapter(adapter)
        yield from (model, dataset, prompt, adapter, *self._starts())

    def _starts(self) -> Iterator[Message]:
        yield api.StartFineTuningJobRequest(
            adapter_name="tuned",
            base_model_id=self.model,
            dataset_id=self.dataset,
            prompt_id="p-1",
            cpu=1,
            memory=1,
        )
        yield api.StartEvaluationJobRequest(
            type="mlflow",
            dataset_id=self.dataset,
            prompt_id="p-1",
            cpu=1,
            memory=1,
            model_adapter_combinations=[{"base_model_id": self.model}],
        )

    def send(self, method: MethodDescriptor, request: Message) -> None:
        """Sends the request; fails unless the answer is one that a client can work with."""
        call: Callable[..., Any] = getattr(self.client, method.name)
        try:
            answer = call(request, timeout=CALL_SECONDS)
            if method.server_streaming:
                list(answer)
        except StudioError as error:
            check_refusal(method, error)


def check_refusal(method: MethodDescriptor, error: StudioError) -> None:
    """Fails unless the refusal says what is wrong and where."""
    rpc = method.name
    assert error.code not in NEVER, (rpc, error.code, str(error))
    assert str(error).strip()
    if error.code is grpc.StatusCode.UNAVAILABLE:
        assert error.reason in AWAY_FOR_GOOD_REASON, (rpc, error.reason, str(error))
    if error.code is grpc.StatusCode.INVALID_ARGUMENT and error.reason != "MALFORMED_REQUEST":
        assert error.violations, (rpc, str(error))
    for violation in error.violations:
        if violation.description.startswith("and "):
            continue  # stands for those that a trailer has no room for
        # An import names a place in its document.
        named = rpc in IMPORTS or names_a_field(method.input_type, violation.field)
        assert named, (rpc, violation)
        assert violation.description, (rpc, violation)
        documented = GENERAL_RULES | set(DOCUMENTED[rpc].get("rules", ()))
        assert violation.rule in documented, (rpc, violation)
    if field := error.metadata.get("field"):
        assert names_a_field(method.input_type, field), (rpc, field)
    if rule := error.metadata.get("rule"):
        assert RULE.fullmatch(rule)


@pytest.fixture(scope="module")
def target(fuzzed: Studio) -> Iterator[Target]:
    target = Target(fuzzed)
    with target.client:
        yield target


@pytest.fixture(scope="module", autouse=True)
def unharmed(target: Target) -> Iterator[None]:
    """Afterwards the same processes run, no larger than before, and none has met what it did not
    foresee."""
    pids = target.studio.pids()
    for method in METHODS * (WARM_UP // len(METHODS)):
        if not method.name.startswith("Start"):
            target.send(method, GetMessageClass(method.input_type)())
    # Libraries that are imported at their first use are no growth.
    for request in (
        api.AddDatasetRequest(type="huggingface", huggingface_name="org/data"),
        api.AddModelRequest(type="huggingface", huggingface_name="org/model"),
    ):
        method = STUDIO.methods_by_name[type(request).DESCRIPTOR.name.removesuffix("Request")]
        target.send(method, request)
    before = {name: psutil.Process(pid).memory_info().rss for name, pid in pids.items()}
    yield
    assert target.studio.pids() == pids
    for name, pid in pids.items():
        grown = psutil.Process(pid).memory_info().rss - before[name]
        assert grown < MAX_GROWTH_BYTES, (name, grown)
    for log in (target.studio.home / "logs").glob("*.log"):
        text = log.read_text()
        assert "unforeseen error" not in text, log.name
        assert "hf_plantedtoken_of_the_studio" not in text, log.name


@settings(FUZZ, max_examples=EXAMPLES)
@given(data=st.data())
def test_random_request_gets_a_clear_answer(target: Target, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(METHODS))
    target.send(method, data.draw(target.requests.message(method.input_type)))


@settings(FUZZ, max_examples=EXAMPLES // 10)
@given(data=st.data())
def test_nearly_valid_request_gets_a_clear_answer(target: Target, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(target.valid)))
    method = STUDIO.methods_by_name[name.removesuffix("Request")]
    target.send(method, data.draw(target.requests.mutated(target.valid[name])))


@settings(FUZZ, max_examples=EXAMPLES // 3)
@given(data=st.data())
def test_random_bytes_are_refused_or_understood(target: Target, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from([m for m in METHODS if not m.server_streaming]))
    sent = data.draw(target.requests.message(method.input_type)).SerializeToString()
    at = data.draw(st.integers(0, len(sent)))
    sent = sent[:at] + data.draw(st.binary(max_size=20)) + sent[at + data.draw(st.integers(0, 9)) :]
    assert code_of(target.client, method, sent) not in NEVER


def code_of(
    client: FineTuningStudioClient, method: MethodDescriptor, sent: bytes
) -> grpc.StatusCode:
    """The status code that the bytes are answered with."""
    call = client.channel.unary_unary(f"/{method.containing_service.full_name}/{method.name}")
    answered: Any = call.future(sent, timeout=CALL_SECONDS)
    code: grpc.StatusCode = answered.code()
    return code
