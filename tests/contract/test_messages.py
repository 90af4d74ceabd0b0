"""Refusals name a field of the request that they answer, and the value that was sent."""

from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass

from ft import api
from ft.client import AlreadyExistsError, StudioError
from tests.contract.frozen import Contract
from tests.contract.furnished import Target
from tests.contract.unset import METHODS, names_a_field
from tests.support import until

STARTS = {
    "StartFineTuningJob": ("cpu", "memory"),
    "StartEvaluationJob": ("cpu", "memory"),
    "ExportModel": ("cpu", "memory"),
}


def refusal(target: Target, rpc: str, request: Any) -> StudioError:
    """What a request is refused for; every field that it names is one of the request's."""
    with pytest.raises(StudioError) as refused:
        target.send(rpc, request)
    for violation in refused.value.violations:
        assert names_a_field(request.DESCRIPTOR, violation.field), violation
    if field := refused.value.metadata.get("field"):
        assert names_a_field(request.DESCRIPTOR, field), field
        assert str(refused.value).startswith(f"{field}: ")
    return refused.value


@pytest.mark.parametrize("rpc", STARTS)
@pytest.mark.parametrize("value", [0, -3])
def test_number_out_of_range_is_shown_as_sent(target: Target, rpc: str, value: int) -> None:
    for field in STARTS[rpc]:
        request = target.valid(rpc)
        setattr(request, field, value)
        [violation] = refusal(target, rpc, request).violations
        assert (violation.field, violation.rule) == (field, "FT-802")
        assert violation.description == f"must be above 0, not {value}"


def test_frozen_client_sends_0(target: Target) -> None:
    contract = Contract()
    request = contract.messages["StartFineTuningJobRequest"](adapter_name="x", cpu=0, memory=0)
    sent = api.StartFineTuningJobRequest.FromString(request.SerializeToString())
    told = refusal(target, "StartFineTuningJob", sent).violations
    numbers = {v.field: v.description for v in told if v.rule == "FT-802"}
    assert numbers == dict.fromkeys(("cpu", "memory"), "must be above 0, not 0")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("num_cpu", 0, "must be above 0, not 0"),
        ("num_cpu", -1, "must be above 0, not -1"),
        ("num_memory", 0, "must be above 0, not 0"),
        ("num_gpu", -2, "must not be negative, not -2"),
        ("num_cpu", 5000, "5000 CPUs requested"),
        ("num_memory", 50_000, "50000 GiB requested"),
        ("num_gpu", 500, "500 GPUs requested"),
        ("num_workers", 0, "must be above 0, not 0"),
        ("num_workers", 65, "must be at most 64, not 65"),
        ("num_epochs", 0, "not 0"),
        ("learning_rate", -0.002, "not -0.002"),
        ("dataset_fraction", 1.1, "not 1.1"),
        ("train_test_split", 0.0, "not 0.0"),
        ("gpu_label_id", 77, "accelerator label 77 does not exist"),
        ("framework_type", "other", "not 'other'"),
        ("adapter_name", "a b", "not 'a b'"),
    ],
)
def test_field_is_named_as_sent(target: Target, field: str, value: Any, said: str) -> None:
    request = target.valid("StartFineTuningJob")
    if field.startswith("num_"):
        request.ClearField(field.removeprefix("num_")) if hasattr(request, field[4:]) else None
    setattr(request, field, value)
    [violation] = refusal(target, "StartFineTuningJob", request).violations
    assert violation.field == field
    assert said in violation.description


def taken(target: Target, rpc: str, request: Any) -> StudioError:
    """The refusal of the second of two requests."""
    added = getattr(target.client, rpc)(request)
    request.request_id = ""
    try:
        return refusal(target, rpc, request)
    finally:
        target.forget(rpc, added)


@pytest.mark.parametrize(
    ("rpc", "when", "field"),
    [
        ("AddDataset", "", "name"),
        ("AddDataset", "type huggingface", "huggingface_name"),
        ("AddModel", "", "name"),
        ("AddModel", "type huggingface", "huggingface_name"),
        ("AddModel", "type model_registry", "model_registry_id"),
        ("AddAdapter", "", "name"),
        ("AddPrompt", "", "prompt.id"),
        ("ExportModel", "", "model_name"),
        ("StartFineTuningJob", "", "adapter_name"),
    ],
)
def test_taken_name_is_reported_as_sent(target: Target, rpc: str, when: str, field: str) -> None:
    request = target.valid(rpc, when)
    refused = taken(target, rpc, request)
    assert isinstance(refused, AlreadyExistsError)
    assert refused.metadata["field"] == field
    value: Any = request
    for part in field.split("."):
        value = getattr(value, part)
    assert repr(value) in str(refused)


def test_prompt_with_a_taken_name_is_refused(target: Target) -> None:
    request = target.valid("AddPrompt")
    target.client.AddPrompt(request)
    request.prompt.id += "-2"
    request.request_id = ""
    assert refusal(target, "AddPrompt", request).metadata["field"] == "prompt.name"


def test_resumed_job_is_named_by_its_id(target: Target) -> None:
    request = target.valid("StartFineTuningJob")
    first = target.client.StartFineTuningJob(request).fine_tuning_job
    target.client.CancelFineTuningJob(api.CancelFineTuningJobRequest(id=first.id))
    until("it has stopped", lambda: target.client.get_job(first.id).status.state == "STOPPED")
    request.request_id = ""
    target.client.StartFineTuningJob(request)
    refused = refusal(target, "ResumeFineTuningJob", api.ResumeFineTuningJobRequest(id=first.id))
    assert isinstance(refused, AlreadyExistsError)
    assert request.adapter_name in str(refused)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_impossible_texts_are_named_wherever_they_occur(target: Target, method: Any) -> None:
    for text in ("a\0b", "x" * 70_000):
        request = GetMessageClass(method.input_type)()
        texts = [
            f for f in method.input_type.fields if f.type == f.TYPE_STRING and not f.is_repeated
        ]
        for field in texts:
            if field.name != "exported_json":
                setattr(request, field.name, text)
        if "filter" in method.input_type.fields_by_name:
            request.filter[text] = text
        if not request.ByteSize():
            continue
        told = refusal(target, method.name, request).violations
        assert {v.rule for v in told} >= {"FT-003" if "\0" in text else "FT-004"}
