"""Every field of every request, left out or 0, against a real studio: what comes of it is what
docs/api/unset.toml, and so docs/api.md, says."""

from collections.abc import Mapping
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from ft.client import StudioError
from tests.contract.furnished import Target
from tests.contract.unset import (
    METHODS,
    SAID,
    Case,
    cases,
    fields_of,
    names_a_field,
    said_of,
    with_presence,
)

SHOWN: Mapping[tuple[str, str, str], tuple[str, Any]] = {
    ("AddAdapter", "type", ""): ("adapter.type", "project"),
    ("AddPrompt", "prompt.type", ""): ("prompt.type", "in_place"),
    ("ExportModel", "cpu", ""): ("num_cpu", 2),
    ("ExportModel", "memory", ""): ("num_memory", 8),
    ("ExportModel", "gpu", ""): ("num_gpu", 0),
    ("ExportModel", "gpu", "0"): ("num_gpu", 0),
    ("ExportModel", "job_gpu", "0"): ("num_gpu", 0),
    ("StartFineTuningJob", "num_workers", ""): ("fine_tuning_job.num_workers", 1),
    ("StartFineTuningJob", "num_epochs", ""): ("fine_tuning_job.num_epochs", 1),
    ("StartFineTuningJob", "num_epochs", "framework axolotl"): ("fine_tuning_job.num_epochs", 1),
    ("StartFineTuningJob", "learning_rate", ""): ("fine_tuning_job.learning_rate", 0.0002),
    ("StartFineTuningJob", "learning_rate", "framework axolotl"): (
        "fine_tuning_job.learning_rate",
        0.0002,
    ),
    ("StartFineTuningJob", "gpu", ""): ("fine_tuning_job.num_gpu", 0),
    ("StartFineTuningJob", "gpu", "0"): ("fine_tuning_job.num_gpu", 0),
    ("StartFineTuningJob", "train_test_split", ""): ("fine_tuning_job.train_test_split", 0.9),
    ("StartFineTuningJob", "dataset_fraction", ""): ("fine_tuning_job.dataset_fraction", 1.0),
    ("StartFineTuningJob", "framework_type", ""): ("fine_tuning_job.framework_type", "legacy"),
    ("StartEvaluationJob", "type", ""): ("evaluation_job.type", "mlflow"),
    ("StartEvaluationJob", "gpu", ""): ("evaluation_job.num_gpu", 0),
    ("GetDatasetSplitByAdapter", "adapter_id", ""): ("response.dataset_fraction", 1.0),
}
"""Where an answer shows what was taken for a field that was not set."""


def test_request_fields_are_all_documented() -> None:
    for method in METHODS:
        assert set(said_of(method.input_type)) == set(fields_of(method.input_type)), method.name
    requests = {method.input_type.name for method in METHODS}
    assert set(SAID) - {"lists"} <= requests


def test_zero_is_documented_where_it_differs_from_unset() -> None:
    for method in METHODS:
        for field, said in said_of(method.input_type).items():
            assert (" | 0: " in said) == with_presence(method.input_type, field), (method, field)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_unset_field_means_what_is_documented(target: Target, case: Case) -> None:
    valid = target.valid(case.rpc, "" if case.when == "0" else case.when)
    request = case.of(valid)
    if case.rule or case.code:
        with pytest.raises(StudioError) as refused:
            target.send(case.rpc, request)
        check_refusal(request, case, refused.value)
        return
    answer = target.send(case.rpc, request)
    if shown := SHOWN.get((case.rpc, case.field, case.when)):
        path, value = shown
        for part in path.split("."):
            answer = getattr(answer, part)
        assert answer == pytest.approx(value) if isinstance(value, float) else answer == value
        assert f"{value}" in case.outcome


def check_refusal(request: Message, case: Case, refusal: StudioError) -> None:
    """Fails unless it names the field of the request that is not set, and the rule."""
    if case.code:
        assert refusal.code.name == case.code
        return
    assert refusal.code.name == "INVALID_ARGUMENT", str(refusal)
    for violation in refusal.violations:
        assert names_a_field(request.DESCRIPTOR, violation.field), violation
    named = [(v.field.replace("[0]", ""), v.rule) for v in refusal.violations]
    assert any(f.startswith(case.field) and rule == case.rule for f, rule in named), named


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_empty_request_names_what_it_lacks(target: Target, method: MethodDescriptor) -> None:
    general = [case for case in cases() if case.rpc == method.name and not case.when]
    required = {(case.field, case.rule) for case in general if case.rule}
    if not required or any(case.code for case in general):
        return
    with pytest.raises(StudioError) as refused:
        target.send(method.name, GetMessageClass(method.input_type)())
    named = {(v.field, v.rule) for v in refused.value.violations}
    # Where the type decides what else is required, the type alone is told.
    assert named
    assert named <= required
    if ("type", "FT-005") not in required:
        # Of messages within the request, only what stands in those that are there is required.
        there = {r for r in required if "." not in r[0] or r[0].startswith("prompt.")}
        assert named >= there - {("prompt", "FT-001")}
